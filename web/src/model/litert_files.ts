/** LiteRT's WebAssembly in the build that suits this browser. */

import { fetchPacked } from "./packed";

const RELAXED = "litert/litert_wasm_internal";
const COMPATIBLE = "litert/litert_wasm_compat_internal";
/** A function of relaxed SIMD alone: i8x16.relaxed_swizzle on two vectors of zeros. */
const RELAXED_SIMD = Uint8Array.of(
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0],
  ...[65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11],
);

export interface LiteRTFiles {
  kind: "litert";
  /** Address of the script around the WebAssembly. */
  script: string;
  module: WebAssembly.Module;
  /** Start of the names of the files that this browser does not need. */
  unused: string;
}

/** @throws Error when files are missing. */
export async function loadLiteRTFiles(base: string): Promise<LiteRTFiles> {
  const relaxed = WebAssembly.validate(RELAXED_SIMD);
  const [used, unused] = relaxed ? [RELAXED, COMPATIBLE] : [COMPATIBLE, RELAXED];
  const script = new URL(`${used}.js`, base).href;
  const headers = { "Content-Type": "application/wasm" };
  const binary = await fetchPacked(new URL(`${used}.wasm.gzip`, base));
  const module = await WebAssembly.compileStreaming(new Response(binary, { headers }));
  return { kind: "litert", script, module, unused };
}
