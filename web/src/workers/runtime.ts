/** LiteRT in a worker, from WebAssembly that the page has compiled already. */

import { type CompiledModel, loadAndCompile, loadLiteRt } from "@litertjs/core";
import type { Engine } from "../model/engine";

/** What LiteRT's script reads before it starts, see Emscripten's `Module`. */
interface Hooks {
  instantiateWasm: (
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ) => object;
  printErr: (line: string) => void;
}

const NEWS = /^(INFO|WARNING|VERBOSE)/; // of LiteRT's log; errors are exceptions, too

/** Start LiteRT and compile the model for the processor. */
export async function startRuntime(engine: Engine): Promise<CompiledModel> {
  // LiteRT would wait for a graphics adapter, which it does not use here
  Object.defineProperty(self.navigator, "gpu", { value: undefined });
  const hooks: Hooks = {
    instantiateWasm(imports, done) {
      void WebAssembly.instantiate(engine.runtime, imports).then((instance) =>
        done(instance, engine.runtime),
      );
      return {};
    },
    printErr(line) {
      if (!NEWS.test(line)) {
        console.error(line);
      }
    },
  };
  (self as unknown as { Module: Hooks }).Module = hooks;
  await loadLiteRt(engine.script);
  return loadAndCompile(engine.model, { accelerator: "wasm" });
}
