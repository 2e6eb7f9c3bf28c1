/** A plugin that puts the FLAC encoder beside the page; it is loaded with the first FLAC file. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Plugin } from "vite";

const FILES = ["dist/libflac.min.wasm.js", "dist/libflac.min.wasm.wasm", "LICENSE"];

export function flacFiles(): Plugin {
  const entry = createRequire(import.meta.url).resolve("libflacjs/package.json");
  return {
    name: "flac-files",
    generateBundle() {
      for (const file of FILES) {
        const source = readFileSync(join(dirname(entry), file));
        const name = file === "LICENSE" ? "LICENSE.txt" : file.replace("dist/", "");
        this.emitFile({ type: "asset", fileName: `flac/${name}`, source });
      }
    },
  };
}
