/** All pictures of a song: orders columns from the worker as soon as their samples are known. */

import { type Song, stretch } from "../audio/song";
import PicturesWorker from "../workers/pictures?worker";
import type { LanePicture, Scale } from "./lane_picture";
import { FRAME, type Grid, gridOf, type Order, startOf, type Strip } from "./messages";

const MOST_SECONDS = 20; // of samples in one order
const MOST_COLUMNS = 120; // in one order, so that pictures grow evenly
const MOST_UNDER_WAY = 2; // orders: one is computed while the next is on its way
const DRAW_MILLISECONDS = 100; // between two drawings while pictures grow

let numberOfSongs = 0;
const worker = new PicturesWorker();

export class Album {
  readonly grid: Grid;
  private readonly number = ++numberOfSongs;
  private readonly ordered: Uint8Array;
  private scale: Scale = { peak: 1, topDb: 0 };
  private readonly waiting: { first: number; last: number; withSources: boolean }[] = [];
  private underWay = 0;
  private drawing = false;
  private begun = false;

  /**
   * @param mixture the lane of the mixture.
   * @param stems the lanes of the sources and the residual, in the order of the song's stems.
   */
  constructor(
    private readonly song: Song,
    private readonly mixture: LanePicture,
    private readonly stems: LanePicture[],
  ) {
    this.grid = gridOf(song.mixture.length, song.mixture.sampleRate);
    this.ordered = new Uint8Array(this.grid.columns);
    worker.onmessage = ({ data }: MessageEvent<Strip>): void => this.place(data);
  }

  /** Order the mixture, once, and the columns whose sources are known. `isKnown` tells that of a range of samples. */
  update(isKnown: (first: number, last: number) => boolean): void {
    if (!this.begun) {
      this.begun = true;
      this.enqueue(0, this.grid.columns, false);
    }
    let first = 0;
    while (first < this.grid.columns) {
      let last = first;
      while (last < this.grid.columns && !this.ordered[last] && this.isReady(last, isKnown)) {
        last += 1;
      }
      this.ordered.fill(1, first, last);
      this.enqueue(first, last, true);
      first = last + 1;
    }
  }

  /** Order and draw nothing more. */
  close(): void {
    this.waiting.length = 0;
    worker.onmessage = null;
  }

  /** Draw again, for another size or other colours. */
  redraw(): void {
    [this.mixture, ...this.stems].forEach((picture) => picture.draw(this.scale));
  }

  private isReady(column: number, isKnown: (first: number, last: number) => boolean): boolean {
    const [first, last] = this.around(column, column + 1);
    return isKnown(first, last);
  }

  /** The samples that some columns depend on. */
  private around(first: number, last: number): [number, number] {
    const { length } = this.grid;
    const start = startOf(this.grid, first) - FRAME / 2;
    const end = startOf(this.grid, last) + FRAME / 2;
    return [Math.max(0, start), Math.min(length, end)];
  }

  /** Cut columns into orders; few are under way at a time, because each copies its samples. */
  private enqueue(first: number, last: number, withSources: boolean): void {
    const { columns, length, rateHz } = this.grid;
    const fitting = Math.floor((MOST_SECONDS * rateHz * columns) / length);
    const step = Math.max(1, Math.min(MOST_COLUMNS, fitting));
    for (let start = first; start < last; start += step) {
      this.waiting.push({ first: start, last: Math.min(start + step, last), withSources });
    }
    this.orderNext();
  }

  private orderNext(): void {
    while (this.underWay < MOST_UNDER_WAY) {
      const next = this.waiting.shift();
      if (!next) {
        return;
      }
      this.underWay += 1;
      this.order(next.first, next.last, next.withSources);
    }
  }

  private order(first: number, last: number, withSources: boolean): void {
    const [from, to] = this.around(first, last);
    const channels = (audio: AudioBuffer) =>
      Array.from({ length: audio.numberOfChannels }, (_, channel) =>
        stretch(audio, channel, from, to),
      );
    const order: Order = {
      ...{ song: this.number, grid: this.grid, first, last, from },
      mixture: channels(this.song.mixture),
      sources: withSources ? this.song.sources.map(({ audio }) => channels(audio)) : [],
    };
    const buffers = [...order.mixture, ...order.sources.flat()].map(({ buffer }) => buffer);
    worker.postMessage(order, buffers);
  }

  private place({ song, first, lanes }: Strip): void {
    if (song !== this.number) {
      return;
    }
    this.underWay -= 1;
    this.orderNext();
    const pictures = lanes.length === 1 ? [this.mixture] : this.stems;
    lanes.forEach((lane, index) => pictures[index]?.add(first, lane));
    if (lanes.length === 1) {
      this.scale = this.mixture.scale();
    }
    this.drawSoon();
  }

  private drawSoon(): void {
    if (!this.drawing) {
      this.drawing = true;
      setTimeout(() => {
        this.drawing = false;
        this.redraw();
      }, DRAW_MILLISECONDS);
    }
  }
}
