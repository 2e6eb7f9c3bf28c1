/**
 * A plugin that puts LiteRT beside the page: WebAssembly compressed, scripts without comments and
 * blanks.
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { minify, type Plugin } from "vite";

/** With relaxed SIMD where the browser has it, and without. */
const VARIANTS = ["litert_wasm_internal", "litert_wasm_compat_internal"];
/** Emscripten finds its settings by their names, so these stay. */
const SPACES_ONLY = { compress: false, mangle: false } as const;

export function litertFiles(): Plugin {
  const entry = createRequire(import.meta.url).resolve("@litertjs/core");
  const folder = join(dirname(entry), "../wasm");
  return {
    name: "litert-files",
    async generateBundle() {
      for (const variant of VARIANTS) {
        const text = readFileSync(join(folder, `${variant}.js`), "utf8");
        const { code, errors } = await minify(`${variant}.js`, text, SPACES_ONLY);
        if (errors.length > 0) {
          throw new Error(errors.map(({ message }) => message).join("\n"));
        }
        const binary = gzipSync(readFileSync(join(folder, `${variant}.wasm`)), { level: 9 });
        this.emitFile({ type: "asset", fileName: `litert/${variant}.js`, source: code });
        const fileName = `litert/${variant}.wasm.gzip`;
        this.emitFile({ type: "asset", fileName, source: binary });
      }
    },
  };
}
