/**
 * The filterbank masker on a stream of one channel: the twin of `NumpyStream` in the package.
 *
 * Every function is named as the layer that it equals. Each place that looks at other frames keeps
 * those before, and waits for those after; around the recording there are zeros.
 */

import type { StoredArray } from "./arrays";
import { Block, numbered, type Scratch } from "./block";
import type { NetworkFacts } from "./facts";
import type { Address, Kernels } from "./kernels";
import { type Dense, Layers, type Norm, padded, type Rounded } from "./layers";
import { Loudness } from "./loudness";
import type { Memory } from "./memory";
import { Rows } from "./rows";
import { Spectra } from "./spectra";

type Samples = Float32Array<ArrayBuffer>;
const FLOAT = 4; // bytes
const SHORT = 2;

export class Masker {
  private readonly layers: Layers;
  private readonly spectra: Spectra;
  private readonly loudness: Loudness;
  private readonly blocks: Block[];
  private readonly enter: Dense;
  private readonly norm: Norm;
  private readonly masks: Dense;
  /** Spectra that wait for their masks; the first `seen` of them are in the network. */
  private readonly waiting: Rows;
  private seen = 0;
  /** What leaves the last block. */
  private readonly final: Rows;
  private readonly scratch: Scratch;
  private readonly loud: Address;
  private readonly logits: Address;

  /** @param hops of samples at a time, at most. */
  constructor(
    private readonly kernels: Kernels,
    memory: Memory,
    arrays: Map<string, StoredArray>,
    private readonly facts: NetworkFacts,
    sources: number,
    hops: number,
  ) {
    const count = facts.dilations.length;
    const [used, channels] = arrays.get("dense.kernel")?.shape as [number, number];
    const bins = padded(used);
    const outputs = arrays.get(`dense_${count + 1}.bias`)?.shape[0] ?? 0;
    const widest = padded(Math.max(used, channels, outputs));
    this.layers = new Layers(kernels, memory, arrays, widest);
    // at the end, all that waits arrives at once
    const ahead = facts.level[1] + facts.ahead.reduce((sum, frames) => sum + frames, 0);
    const most = hops + 1 + facts.frame / facts.hop + ahead;
    this.spectra = new Spectra(kernels, memory, facts, this.layers, used, most, sources);
    this.loudness = new Loudness(kernels, memory, facts, this.layers, used, bins, most);
    this.enter = this.layers.dense("dense");
    this.blocks = Array.from({ length: count }, (_, number) => {
      return new Block(kernels, memory, facts, this.layers, number, most);
    });
    this.norm = this.layers.norm(numbered("layer_normalization", count));
    this.masks = this.layers.dense(`dense_${count + 1}`);
    this.waiting = new Rows(memory, most + ahead, 2 * FLOAT * bins);
    this.final = new Rows(memory, most, FLOAT * channels);
    const rows = Math.ceil(most / 4) * 4;
    this.loud = memory.take(rows * FLOAT * bins);
    this.logits = memory.take(rows * FLOAT * padded(outputs));
    this.scratch = {
      branch: memory.take(rows * FLOAT * channels),
      rounded: roundedRows(memory, rows, Math.max(bins, channels)),
    };
    this.reset();
  }

  /** Start a new recording. */
  reset(): void {
    [this.spectra, this.loudness, ...this.blocks].forEach((part) => part.reset());
    [this.waiting, this.final].forEach((rows) => rows.reset());
    this.seen = 0;
  }

  /**
   * Add the next samples: whole hops, unless they are the last.
   *
   * @returns the samples that are complete by now, by source; beyond the end of the recording they
   *   go on for less than a frame.
   */
  push(samples: Samples, last: boolean): Samples[] {
    const { hop } = this.facts;
    const missing = (hop - (samples.length % hop)) % hop;
    const tail = missing + (last ? this.spectra.length - hop : 0);
    const { waiting } = this;
    const spectra = waiting.end;
    const fresh = this.spectra.analyse(samples, tail, spectra);
    waiting.added(fresh);
    const gains = this.loudness.gains(fresh, spectra, last);
    const count = this.run(gains, last);
    const bytes = FLOAT * padded(this.masks.outputs);
    const estimates = this.spectra.synthesise(count, waiting.start, this.logits, bytes);
    waiting.drop(count);
    this.seen -= count;
    return estimates;
  }

  /** The masks of the frames that are complete by now; returns their number. */
  private run(gains: Float32Array, last: boolean): number {
    const { layers, scratch, final, waiting } = this;
    let count = gains.length;
    this.loudness.measure(gains, waiting.start + this.seen * waiting.bytes, this.loud);
    this.seen += count;
    layers.round(count, this.loud, this.enter.inputs, scratch.rounded);
    const [first = final, ...others] = this.blocks.map(({ signal }) => signal);
    layers.begin(count, this.enter, first.end);
    layers.add(count, scratch.rounded, this.enter, first.end);
    first.added(count);
    this.blocks.forEach((block, index) => {
      count = block.run(count, last, others[index] ?? final, scratch);
    });
    const { outputs, inputs } = this.masks;
    layers.normalise(count, final.start, inputs, this.norm, this.facts.epsilon, scratch.rounded);
    final.drop(count);
    layers.begin(count, this.masks, this.logits);
    layers.add(count, scratch.rounded, this.masks, this.logits);
    this.kernels.sigmoid(count * padded(outputs), this.logits);
    return count;
  }
}

function roundedRows(memory: Memory, rows: number, width: number): Rounded {
  return { values: memory.take(rows * SHORT * width), scales: memory.take(rows * FLOAT) };
}
