/** A plugin that compiles the kernels from AssemblyScript and puts them beside the page. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import asc from "assemblyscript/asc";
import type { Plugin } from "vite";

const OPTIONS = [
  ...["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--importMemory"],
];

export function kernels(): Plugin {
  return {
    name: "kernels",
    async generateBundle() {
      const folder = mkdtempSync(join(tmpdir(), "kernels-"));
      const file = join(folder, "kernels.wasm");
      try {
        const { error, stderr } = await asc.main(["kernels/index.ts", ...OPTIONS, "-o", file]);
        if (error) {
          throw new Error(stderr.toString());
        }
        const source = readFileSync(file);
        this.emitFile({ type: "asset", fileName: "kernels/kernels.wasm", source });
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}
