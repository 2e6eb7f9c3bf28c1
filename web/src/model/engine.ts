/** What every worker needs to run the model: compiled WebAssembly and the bytes of the model. */

import { UserError } from "../errors";
import { type ModelFacts, notLoaded } from "./facts";
import { loadLiteRTFiles, type LiteRTFiles } from "./litert_files";
import { fetchPacked, wholeOf } from "./packed";

const KERNELS = "kernels/kernels.wasm";

/** Everything that a worker is given at its start; it can be sent to any number of workers. */
export interface Engine {
  facts: ModelFacts;
  model: Uint8Array<ArrayBuffer>;
  /** The page's own arithmetic, or LiteRT. */
  runtime: { kind: "kernels"; module: WebAssembly.Module } | LiteRTFiles;
}

/**
 * Load the model, and what runs it in this browser.
 *
 * @throws UserError where the browser lacks WebAssembly or files of the page are missing.
 */
export async function loadEngine(base: string, facts: Promise<ModelFacts>): Promise<Engine> {
  checkBrowser();
  const known = await facts;
  try {
    const [runtime, model] = await Promise.all([
      known.network ? loadKernels(base) : loadLiteRTFiles(base),
      fetchPacked(new URL(known.file, base)).then(wholeOf),
    ]);
    return { facts: known, model, runtime };
  } catch (error) {
    throw notLoaded(error);
  }
}

/** Throw a UserError where the browser lacks what the page needs. */
function checkBrowser(): void {
  if (typeof WebAssembly !== "object" || typeof DecompressionStream !== "function") {
    throw new UserError(
      "This browser does not run WebAssembly, which the separation needs. Use a current" +
        " Chrome, Edge, Firefox or Safari, or allow WebAssembly in its settings.",
    );
  }
}

async function loadKernels(base: string): Promise<Engine["runtime"]> {
  const reply = await fetch(new URL(KERNELS, base));
  if (!reply.ok) {
    throw new Error(`${KERNELS} could not be read (${reply.status}).`);
  }
  return { kind: "kernels", module: await WebAssembly.compile(await reply.arrayBuffer()) };
}
