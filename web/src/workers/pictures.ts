/** The worker that computes waveforms and spectrograms, some columns at a time. */

import {
  BANDS,
  FLOOR_DB,
  FRAME,
  HIGHEST_HZ,
  LOWEST_HZ,
  type LanePart,
  type Order,
  startOf,
  type Strip,
} from "../pictures/messages";
import { PowerSpectra } from "./power_spectra";

type Samples = Float32Array<ArrayBuffer>;
const KERNELS = "../kernels/kernels.wasm"; // from the folder of this script
const MOST_FRAMES = 3; // of a column of a long song

const spectra = fetch(new URL(KERNELS, self.location.href))
  .then(async (reply) => WebAssembly.compile(await reply.arrayBuffer()))
  .then((module) => PowerSpectra.open(module, FRAME));
const power = new Float32Array(FRAME / 2);

self.onmessage = async ({ data: order }: MessageEvent<Order>): Promise<void> => {
  const measured = await spectra;
  const lanes = signalsOf(order).map((signal) => part(signal, order, measured));
  const strip: Strip = { song: order.song, first: order.first, last: order.last, lanes };
  const buffers = lanes.flatMap(({ low, high, levels }) => [low, high, levels]);
  self.postMessage(strip, buffers.map(({ buffer }) => buffer));
};

/** The signals to draw, with one channel each. */
function signalsOf({ mixture, sources }: Order): Samples[] {
  const whole = mean(mixture);
  if (sources.length === 0) {
    return [whole];
  }
  const estimates = sources.map(mean);
  for (const estimate of estimates) {
    for (let index = 0; index < whole.length; index += 1) {
      whole[index]! -= estimate[index]!;
    }
  }
  return [...estimates, whole];
}

/** Computed in the first channel. */
function mean([first, ...others]: Samples[]): Samples {
  const sum = first ?? new Float32Array(0);
  const share = 1 / (1 + others.length);
  for (const channel of others) {
    for (let index = 0; index < sum.length; index += 1) {
      sum[index]! += channel[index]!;
    }
  }
  for (let index = 0; index < sum.length && share < 1; index += 1) {
    sum[index]! *= share;
  }
  return sum;
}

function part(signal: Samples, { grid, first, last, from }: Order, spectra: PowerSpectra): LanePart {
  const count = last - first;
  const low = new Float32Array(count);
  const high = new Float32Array(count);
  const levels = new Uint8Array(count * BANDS);
  const starts: number[] = [];
  const columns: number[] = []; // of the frames
  for (let column = 0; column < count; column += 1) {
    const start = startOf(grid, first + column) - from;
    const end = startOf(grid, first + column + 1) - from;
    for (let index = start; index < end; index += 1) {
      low[column] = Math.min(low[column]!, signal[index]!);
      high[column] = Math.max(high[column]!, signal[index]!);
    }
    const frames = Math.min(MOST_FRAMES, Math.max(1, Math.ceil((end - start) / FRAME)));
    for (let frame = 0; frame < frames; frame += 1) {
      const centre = start + ((frame + 0.5) * (end - start)) / frames;
      starts.push(Math.round(centre - FRAME / 2));
      columns.push(column);
    }
  }
  const edges = bandEdges(grid.rateHz);
  let frames = 0; // of the column so far
  spectra.measure(signal, starts, (index, real, imaginary) => {
    const column = columns[index]!;
    add(real, imaginary, frames > 0);
    frames += 1;
    if (columns[index + 1] !== column) {
      fillColumn(levels.subarray(column * BANDS, (column + 1) * BANDS), edges, frames);
      frames = 0;
    }
  });
  return { low, high, levels };
}

/** Set `power` to that of a frame, or add it. */
function add(real: Float32Array, imaginary: Float32Array, more: boolean): void {
  for (let bin = 0; bin < power.length; bin += 1) {
    const one = real[bin]! ** 2 + imaginary[bin]! ** 2;
    power[bin] = more ? power[bin]! + one : one;
  }
}

/** First bins of the bands, equally wide in pitch, and the end of the last. */
function bandEdges(rateHz: number): number[] {
  const highest = Math.min(HIGHEST_HZ, rateHz / 2);
  return Array.from({ length: BANDS + 1 }, (_, band) => {
    const hz = LOWEST_HZ * (highest / LOWEST_HZ) ** (band / BANDS);
    return Math.min((hz * FRAME) / rateHz, FRAME / 2 - 1);
  });
}

/** The strongest bin of each band; narrow bands take the value between two bins. */
function fillColumn(levels: Uint8Array, edges: number[], frames: number): void {
  for (let band = 0; band < BANDS; band += 1) {
    const start = edges[band]!;
    const end = edges[band + 1]!;
    let strongest = between((start + end) / 2);
    for (let bin = Math.ceil(start); bin < end; bin += 1) {
      strongest = Math.max(strongest, power[bin]!);
    }
    const level = 10 * Math.log10(strongest / frames + 1e-20);
    levels[band] = Math.round(Math.min(Math.max(255 * (1 - level / FLOOR_DB), 0), 255));
  }
}

function between(bin: number): number {
  const below = Math.floor(bin);
  const share = bin - below;
  return (1 - share) * power[below]! + share * power[below + 1]!;
}
