/** The worker that separates: one model, one stretch of a recording at a time. */

import type { FromWorker, ToWorker } from "../separation/messages";
import { openStream, type Stream } from "./stream";

let stream: Stream | undefined;
let current = 0;
let queue: Promise<void> = Promise.resolve();

/** Messages are handled one after the other; samples of a task that was dropped are skipped. */
self.onmessage = (event: MessageEvent<ToWorker>): void => {
  if (event.data.kind === "begin") {
    current = event.data.task;
  }
  queue = queue.then(() => handle(event.data)).catch(fail);
};

async function handle(message: ToWorker): Promise<void> {
  if (message.kind === "load") {
    stream = await openStream(message.engine);
    send({ kind: "loaded", shape: stream.shape });
  } else if (message.task !== current || !stream) {
    return;
  } else if (message.kind === "begin") {
    stream.reset();
  } else {
    const sources = await stream.push(message.channels, message.last);
    const { task } = message;
    send({ kind: "estimates", task, sources }, sources.flat().map((one) => one.buffer));
  }
}

function fail(error: unknown): void {
  send({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
}

function send(message: FromWorker, transfer: Transferable[] = []): void {
  self.postMessage(message, transfer);
}
