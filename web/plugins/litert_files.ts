/** A plugin that puts LiteRT's WebAssembly beside the page, compressed. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** With relaxed SIMD where the browser has it, and without. */
const VARIANTS = ["litert_wasm_internal", "litert_wasm_compat_internal"];

export function litertFiles(): Plugin {
  const entry = createRequire(import.meta.url).resolve("@litertjs/core");
  const folder = join(dirname(entry), "../wasm");
  return {
    name: "litert-files",
    generateBundle() {
      for (const variant of VARIANTS) {
        const script = readFileSync(join(folder, `${variant}.js`));
        const binary = gzipSync(readFileSync(join(folder, `${variant}.wasm`)), { level: 9 });
        this.emitFile({ type: "asset", fileName: `litert/${variant}.js`, source: script });
        const fileName = `litert/${variant}.wasm.gzip`;
        this.emitFile({ type: "asset", fileName, source: binary });
      }
    },
  };
}
