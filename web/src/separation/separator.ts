/** Separates songs in workers, with progress and cancel. */

import type { Song } from "../audio/song";
import type { Engine } from "../model/engine";
import SeparationWorker from "../workers/separation?worker";
import type { FromWorker, ModelShape, ToWorker } from "./messages";
import { divide, type Task } from "./tasks";
import { WorkerTask } from "./worker_task";

const MOST_WORKERS = 4; // each keeps its own copy of the model in memory
const EARLY_WORKERS = 2; // started with the page, while a recording is decoded

/** What is separated so far. */
export interface Done {
  /** 0 to 1. */
  share: number;
  /** True when the sources of these samples are complete, in all channels. */
  isKnown: (first: number, last: number) => boolean;
}

interface Started {
  worker: Worker;
  shape: ModelShape;
}

export class Separator {
  private workers: Promise<Started>[] = [];

  /** @param engine settles when it is loaded; the workers start before. */
  constructor(private readonly engine: Promise<Engine>) {
    for (let index = 0; index < Math.min(workersHere(), EARLY_WORKERS); index += 1) {
      void this.worker(index);
    }
  }

  /** Resolves when the first workers are ready to separate. */
  async ready(): Promise<void> {
    await Promise.all(this.workers);
  }

  /**
   * Fill the sources of a song.
   *
   * @param signal stops the work; the promise then rejects with its reason.
   */
  async separate(song: Song, report: (done: Done) => void, signal: AbortSignal): Promise<void> {
    const { length, numberOfChannels: channels } = song.mixture;
    const { facts } = await this.engine;
    const { shape } = await this.worker(0);
    const tasks = divide(facts, shape, { length, channels }, workersHere());
    const ends = new Map(tasks.map((task) => [task, task.first]));
    const reached = (task: Task, end: number): void => {
      ends.set(task, end);
      report(doneOf(ends));
    };
    const waiting = [...tasks];
    const lanes = Math.min(waiting.length, workersHere());
    const work = Array.from({ length: lanes }, async (_, index) => {
      const { worker } = await this.worker(index);
      for (let task = waiting.shift(); task; task = waiting.shift()) {
        await new WorkerTask(worker, song, task, shape, reached).run(signal);
      }
    });
    try {
      await Promise.all(work);
    } catch (error) {
      if (!signal.aborted) {
        this.restart(); // a worker that failed once, by lack of memory for example, stays unusable
      }
      throw error;
    }
  }

  private restart(): void {
    const stop = ({ worker }: Started): void => worker.terminate();
    this.workers.forEach((one) => void one.then(stop, () => undefined));
    this.workers = [];
  }

  private worker(index: number): Promise<Started> {
    const started = (this.workers[index] ??= start(this.engine));
    started.catch(() => undefined); // whoever needs the worker is told
    return started;
  }
}

/** @param ends where the separated samples of each task end. */
function doneOf(ends: Map<Task, number>): Done {
  const tasks = [...ends];
  const total = tasks.reduce((sum, [{ first, last }]) => sum + last - first, 0);
  const done = tasks.reduce((sum, [{ first }, end]) => sum + end - first, 0);
  return {
    share: done / total,
    isKnown: (first, last) =>
      tasks.every(([task, end]) => {
        const apart = task.last <= first || last <= task.first;
        return apart || Math.min(last, task.last) <= end;
      }),
  };
}

/** Half of the processor's threads, two at least where there are two. */
function workersHere(): number {
  const threads = navigator.hardwareConcurrency || 1;
  return Math.max(Math.min(threads, 2), Math.min(threads >> 1, MOST_WORKERS));
}

function start(engine: Promise<Engine>): Promise<Started> {
  return new Promise((resolve, reject) => {
    const worker = new SeparationWorker();
    worker.onerror = (event): void => reject(new Error(event.message));
    worker.onmessage = ({ data }: MessageEvent<FromWorker>): void => {
      if (data.kind === "loaded") {
        resolve({ worker, shape: data.shape });
      } else if (data.kind === "failed") {
        reject(new Error(data.message));
      }
    };
    const load = (loaded: Engine): void =>
      worker.postMessage({ kind: "load", engine: loaded } satisfies ToWorker);
    engine.then(load).catch(reject);
  });
}
