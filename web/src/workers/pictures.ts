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
import { PowerSpectrum } from "./fft";

type Samples = Float32Array<ArrayBuffer>;
const MOST_FRAMES = 3; // of a column of a long song

const spectrum = new PowerSpectrum(FRAME);
const power = new Float32Array(FRAME / 2);

self.onmessage = ({ data: order }: MessageEvent<Order>): void => {
  const lanes = signalsOf(order).map((signal) => part(signal, order));
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
  const residual = whole.map((value, index) =>
    estimates.reduce((rest, estimate) => rest - estimate[index]!, value),
  );
  return [...estimates, residual];
}

function mean(channels: Samples[]): Samples {
  const [first, ...others] = channels;
  const sum = first ?? new Float32Array(0);
  others.forEach((channel) => channel.forEach((value, index) => (sum[index]! += value)));
  return channels.length > 1 ? sum.map((value) => value / channels.length) : sum;
}

function part(signal: Samples, { grid, first, last, from }: Order): LanePart {
  const count = last - first;
  const low = new Float32Array(count);
  const high = new Float32Array(count);
  const levels = new Uint8Array(count * BANDS);
  const edges = bandEdges(grid.rateHz);
  for (let column = 0; column < count; column += 1) {
    const start = startOf(grid, first + column) - from;
    const end = startOf(grid, first + column + 1) - from;
    for (let index = start; index < end; index += 1) {
      low[column] = Math.min(low[column]!, signal[index]!);
      high[column] = Math.max(high[column]!, signal[index]!);
    }
    const frames = Math.min(MOST_FRAMES, Math.max(1, Math.ceil((end - start) / FRAME)));
    power.fill(0);
    for (let frame = 0; frame < frames; frame += 1) {
      const centre = start + ((frame + 0.5) * (end - start)) / frames;
      spectrum.add(signal, Math.round(centre - FRAME / 2), power);
    }
    fillColumn(levels.subarray(column * BANDS, (column + 1) * BANDS), edges, frames);
  }
  return { low, high, levels };
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
