// The page's own separating worker, outside a browser: node separate_in_node.mjs FOLDER
//
// Reads request.json: the worker's script, the kernels, the facts of a model, samples of a piece.
// Reads model.bin and mixture.f32; writes estimates.f32, one source after the other.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import vm from "node:vm";

const folder = process.argv[2];
const read = (name) => new Uint8Array(readFileSync(join(folder, name)));
const { worker, kernels, facts, piece } = JSON.parse(readFileSync(join(folder, "request.json")));
const mixture = new Float32Array(read("mixture.f32").buffer);

let answered;
globalThis.self = globalThis;
globalThis.postMessage = (message) => answered(message);
vm.runInThisContext(readFileSync(worker, "utf8"), { filename: worker });

const ask = async (data) => {
  const answer = new Promise((resolve) => (answered = resolve));
  globalThis.onmessage({ data });
  const message = await answer;
  if (message.kind === "failed") {
    throw new Error(message.message);
  }
  return message;
};

const module = await WebAssembly.compile(readFileSync(kernels));
const engine = { facts, model: read("model.bin"), runtime: { kind: "kernels", module } };
await ask({ kind: "load", engine });
globalThis.onmessage({ data: { kind: "begin", task: 1 } });
const pieces = facts.sources.map(() => []);
for (let first = 0; first === 0 || first < mixture.length; first += piece) {
  const channels = [mixture.slice(first, first + piece)];
  const last = first + piece >= mixture.length;
  const { sources } = await ask({ kind: "samples", task: 1, channels, last });
  sources.forEach(([samples], source) => pieces[source].push(samples));
}
const bytes = pieces.flat().map(({ buffer }) => Buffer.from(buffer));
writeFileSync(join(folder, "estimates.f32"), Buffer.concat(bytes));
