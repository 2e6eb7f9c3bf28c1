/** What every worker needs to run the model: compiled WebAssembly and the bytes of the model. */

import { fetchPacked, wholeOf } from "./packed";
import { type ModelFacts, readFacts } from "./facts";
import { UserError } from "../errors";

const RELAXED = "litert/litert_wasm_internal";
const COMPATIBLE = "litert/litert_wasm_compat_internal";
/** A function of relaxed SIMD alone: i8x16.relaxed_swizzle on two vectors of zeros. */
const RELAXED_SIMD = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0],
  ...[65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11],
);

/** Everything that a worker is given at its start; it can be sent to any number of workers. */
export interface Engine {
  facts: ModelFacts;
  /** Address of the script around the WebAssembly. */
  script: string;
  runtime: WebAssembly.Module;
  model: Uint8Array<ArrayBuffer>;
  /** Start of the names of the runtime's files that this browser does not need. */
  unused: string;
}

/**
 * Load the runtime that suits this browser, and the model.
 *
 * @throws UserError where the browser lacks WebAssembly or files of the page are missing.
 */
export async function loadEngine(base: string): Promise<Engine> {
  if (typeof WebAssembly !== "object" || typeof DecompressionStream !== "function") {
    throw new UserError(
      "This browser does not run WebAssembly, which the separation needs. Use a current" +
        " Chrome, Edge, Firefox or Safari, or allow WebAssembly in its settings.",
    );
  }
  const relaxed = WebAssembly.validate(RELAXED_SIMD);
  const [used, unused] = relaxed ? [RELAXED, COMPATIBLE] : [COMPATIBLE, RELAXED];
  const script = new URL(`${used}.js`, base);
  const binary = new URL(`${used}.wasm.gzip`, base);
  try {
    const facts = await readFacts(base);
    const [runtime, model] = await Promise.all([
      compiled(binary),
      fetchPacked(new URL(facts.file, base)).then(wholeOf),
    ]);
    return { facts, script: script.href, runtime, model, unused };
  } catch (error) {
    throw new UserError(`The page could not load its model: ${(error as Error).message}`);
  }
}

async function compiled(url: URL): Promise<WebAssembly.Module> {
  const headers = { "Content-Type": "application/wasm" };
  return WebAssembly.compileStreaming(new Response(await fetchPacked(url), { headers }));
}
