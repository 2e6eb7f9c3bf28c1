/** Samples to spectra and back, with what overlaps. */

import { circleOf } from "./circle";
import type { Address, Kernels } from "./kernels";
import type { NetworkFacts } from "./facts";
import { type Layers, padded } from "./layers";
import type { Memory } from "./memory";
import { Rows } from "./rows";

type Samples = Float32Array<ArrayBuffer>;
const FLOAT = 4; // bytes
const LANES = 4; // frames that are transformed at a time
const COMPLEX = 32; // bytes of a complex number in all lanes

export class Spectra {
  /** Samples of a synthesis window. */
  readonly length: number;
  /** Numbers of a row: real, then imaginary parts. */
  readonly bins: number;
  private readonly window: Address;
  private readonly synthesisWindow: Address;
  private readonly circle: Address;
  private readonly work: Address;
  /** Those before the next frame, then the new ones. */
  private readonly samples: Address;
  private readonly sums: Rows[];
  /** Samples that belong before the start of the recording. */
  private early = 0;

  /** @param most frames at a time. */
  constructor(
    private readonly kernels: Kernels,
    private readonly memory: Memory,
    private readonly facts: NetworkFacts,
    layers: Layers,
    private readonly used: number,
    most: number,
    sources: number,
  ) {
    const { frame, hop } = facts;
    this.bins = padded(used);
    this.window = layers.place("window");
    this.synthesisWindow = layers.place("synthesis_window");
    this.length = layers.size("synthesis_window");
    this.circle = memory.store(circleOf(frame));
    this.work = memory.take((frame + 16) * COMPLEX);
    this.samples = memory.take(FLOAT * (frame + (most + LANES) * hop));
    const repeats = this.length / hop;
    this.sums = Array.from({ length: sources }, () => {
      return new Rows(memory, most + repeats, FLOAT * hop);
    });
  }

  /** Start a new recording. */
  reset(): void {
    const { frame, hop } = this.facts;
    this.memory.clear(this.samples, FLOAT * (frame - hop));
    this.sums.forEach((sums) => sums.reset(this.length / hop - 1));
    this.early = this.length - hop;
  }

  /**
   * The spectra of the frames that end in these samples.
   *
   * @param tail samples of silence after them.
   * @param output where the rows are written.
   * @returns their number.
   */
  analyse(samples: Samples, tail: number, output: Address): number {
    const { frame, hop } = this.facts;
    const before = frame - hop;
    const count = samples.length + tail;
    const fresh = this.memory.floats(this.samples + FLOAT * before, count);
    fresh.set(samples);
    fresh.fill(0, samples.length);
    const frames = count / hop;
    this.kernels.analyse(
      ...[frames, this.samples, hop, this.window, frame, this.bins, output] as const,
      ...[this.work, this.circle] as const,
    );
    this.memory.move(this.samples, this.samples + FLOAT * count, FLOAT * before);
    return frames;
  }

  /**
   * Masked spectra to the samples that they complete, by source.
   *
   * @param masks rows with those of all sources side by side.
   */
  synthesise(frames: number, spectra: Address, masks: Address, maskBytes: number): Samples[] {
    const { frame, hop } = this.facts;
    const early = Math.min(this.early, frames * hop);
    this.early -= early;
    return this.sums.map((sums, source) => {
      sums.addZeros(frames);
      this.kernels.synthesise(
        ...[frames, spectra, this.bins, this.used] as const,
        ...[masks + FLOAT * source * this.used, maskBytes, hop] as const,
        ...[this.synthesisWindow, this.length, frame, sums.start, this.work, this.circle] as const,
      );
      const samples = this.memory.floats(sums.start, frames * hop).slice(early);
      sums.drop(frames);
      return samples as Samples;
    });
  }
}
