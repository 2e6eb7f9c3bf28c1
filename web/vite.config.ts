/** Builds the page into the Python package: plain files that any server of files can serve. */

import { defineConfig } from "vite";
import { flacFiles } from "./plugins/flac_files";
import { kernels } from "./plugins/kernels";
import { litertFiles } from "./plugins/litert_files";
import { sourcesDigest } from "./plugins/sources_digest";

export default defineConfig({
  base: "./",
  build: {
    outDir: "../tfsepgan/web/prebuilt",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { index: "index.html", "service-worker": "src/workers/service.ts" },
      output: {
        // a service worker is known by its address, which must not change
        entryFileNames: ({ name }) =>
          name === "service-worker" ? "[name].js" : "assets/[name]-[hash].js",
      },
    },
  },
  worker: { format: "iife" },
  plugins: [flacFiles(), kernels(), litertFiles(), sourcesDigest()],
});
