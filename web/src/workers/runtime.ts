/** LiteRT in a worker, from WebAssembly that the page has compiled already. */

import { type CompiledModel, loadAndCompile, loadLiteRt } from "@litertjs/core";
import type { LiteRTFiles } from "../model/litert_files";

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
export async function startRuntime(
  { module, script }: LiteRTFiles,
  model: Uint8Array<ArrayBuffer>,
): Promise<CompiledModel> {
  // LiteRT would wait for a graphics adapter, which it does not use here
  Object.defineProperty(self.navigator, "gpu", { value: undefined });
  const hooks: Hooks = {
    instantiateWasm(imports, done) {
      void WebAssembly.instantiate(module, imports).then((instance) => done(instance, module));
      return {};
    },
    printErr(line) {
      if (!NEWS.test(line)) {
        console.error(line);
      }
    },
  };
  (self as unknown as { Module: Hooks }).Module = hooks;
  await loadLiteRt(script);
  return loadAndCompile(model, { accelerator: "wasm" });
}
