/** One task in one worker: sends samples, two pieces ahead, and collects the estimates. */

import { type Song, stretch } from "../audio/song";
import type { FromWorker, ModelShape, ToWorker } from "./messages";
import type { Task } from "./tasks";

const PIECE_SECONDS = 2; // of the recording: a cancel waits for one piece, progress shows each
const AHEAD = 2;

let numberOfTasks = 0;

export class WorkerTask {
  private readonly number = ++numberOfTasks;
  private readonly piece: number;
  private sent: number;
  private received: number;
  private ended = false;

  constructor(
    private readonly worker: Worker,
    private readonly song: Song,
    private readonly task: Task,
    shape: ModelShape,
    private readonly reached: (task: Task, end: number) => void,
  ) {
    const samples = PIECE_SECONDS * song.mixture.sampleRate;
    this.piece = Math.ceil(samples / shape.block) * shape.block;
    this.sent = this.received = task.from;
  }

  /** Run to the end. Rejects when the worker fails or the task is cancelled. */
  run(signal: AbortSignal): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      signal.throwIfAborted();
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      this.worker.onmessage = ({ data }: MessageEvent<FromWorker>): void => {
        if (data.kind === "failed") {
          reject(new Error(data.message));
        } else if (data.kind === "estimates" && data.task === this.number) {
          this.keep(data.sources);
          if (this.received >= this.task.last) {
            resolve();
          } else {
            this.send();
          }
        }
      };
      this.worker.onerror = (event): void => reject(new Error(event.message));
      this.post({ kind: "begin", task: this.number });
      for (let ahead = 0; ahead < AHEAD; ahead += 1) {
        this.send();
      }
    }).finally(() => {
      this.worker.onmessage = this.worker.onerror = null; // they would keep the song in memory
    });
  }

  private send(): void {
    if (this.ended) {
      return;
    }
    const { length } = this.song.mixture;
    const next = Math.min(this.sent + this.piece, length);
    const channels = this.task.channels.map((channel) =>
      stretch(this.song.mixture, channel, this.sent, next),
    );
    this.ended = next === length;
    const message = { kind: "samples", task: this.number, channels, last: this.ended } as const;
    this.post(message, channels.map(({ buffer }) => buffer));
    this.sent = next;
  }

  /** Store what belongs to the wanted stretch; the context before and after it is dropped. */
  private keep(sources: Float32Array<ArrayBuffer>[][]): void {
    const count = sources[0]?.[0]?.length ?? 0;
    const { first, last, channels } = this.task;
    const from = Math.max(first - this.received, 0);
    const to = Math.min(last - this.received, count);
    if (from < to) {
      sources.forEach((estimates, index) =>
        estimates.forEach((samples, position) =>
          this.song.sources[index]?.audio.copyToChannel(
            samples.subarray(from, to),
            channels[position] ?? 0,
            this.received + from,
          ),
        ),
      );
      this.reached(this.task, this.received + to);
    }
    this.received += count;
  }

  private post(message: ToWorker, transfer: Transferable[] = []): void {
    this.worker.postMessage(message, transfer);
  }
}
