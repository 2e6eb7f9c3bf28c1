/** FLAC files, written piece by piece in a worker that loads libFLAC when it is first needed. */

import FlacWorker from "../workers/flac?worker";
import type { FromFlac, ToFlac } from "./flac_messages";
import { type Sound, wholeNumber } from "./sound";

const FOLDER = "flac/"; // of the encoder, beside the page

/**
 * Write a sound in whole numbers of 16 or 24 bits.
 *
 * @param signal stops the work; the promise then rejects.
 * @throws Error when the encoder cannot be loaded, or fails.
 */
export async function flacOf(sound: Sound, signal: AbortSignal): Promise<Blob> {
  const worker = new FlacWorker();
  try {
    const { pieces, ...shape } = sound;
    const folder = new URL(FOLDER, document.baseURI).href;
    await answer(worker, { kind: "begin", folder, ...shape });
    for (const channels of pieces) {
      signal.throwIfAborted();
      const samples = new Int32Array(channels.length * (channels[0]?.length ?? 0));
      channels.forEach((channel, offset) =>
        channel.forEach((sample, index) => {
          samples[index * channels.length + offset] = wholeNumber(sample, sound.bits);
        }),
      );
      await answer(worker, { kind: "samples", samples }, [samples.buffer]);
    }
    const { file } = await answer(worker, { kind: "end" });
    if (!file) {
      throw new Error("the FLAC encoder returned no file");
    }
    return file;
  } finally {
    worker.terminate();
  }
}

function answer(
  worker: Worker,
  message: ToFlac,
  transfer: Transferable[] = [],
): Promise<FromFlac> {
  return new Promise<FromFlac>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<FromFlac>): void =>
      data.problem === undefined ? resolve(data) : reject(new Error(data.problem));
    worker.onerror = (event): void => reject(new Error(event.message));
    worker.postMessage(message, transfer);
  });
}
