/** A plugin that records what the page was built from, so that a test notices an old build. */

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import type { Plugin } from "vite";

/** Files and folders below `web/`. */
const SOURCES = [
  ...["index.html", "package.json", "package-lock.json", "vite.config.ts"],
  ...["tsconfig.json", "tsconfig.workers.json", "kernels", "plugins", "public", "src"],
];

/** One line for each file, as `sha256sum` writes it, ordered by name. */
export function sourcesDigest(): Plugin {
  return {
    name: "sources-digest",
    generateBundle() {
      const lines = SOURCES.flatMap(filesBelow)
        .sort()
        .map((path) => `${sha256(path)}  ${path}\n`);
      this.emitFile({ type: "asset", fileName: "sources.sha256", source: lines.join("") });
    },
  };
}

function filesBelow(path: string): string[] {
  if (statSync(path).isFile()) {
    return [path];
  }
  return readdirSync(path).flatMap((name) => filesBelow(`${path}/${name}`));
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
