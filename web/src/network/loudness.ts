/** What the network sees of the spectra: the loudness of each bin, at one level. */

import type { NetworkFacts } from "./facts";
import type { Address, Kernels } from "./kernels";
import type { Layers } from "./layers";
import type { Memory } from "./memory";

const FLOAT = 4; // bytes

export class Loudness {
  private readonly factors: Address;
  private readonly terms: Address;
  private readonly numbers: Address;
  /** Mean powers of the frames whose level is not known yet, and of those before. */
  private powers: number[] = [];

  constructor(
    private readonly kernels: Kernels,
    private readonly memory: Memory,
    private readonly facts: NetworkFacts,
    layers: Layers,
    private readonly used: number,
    private readonly bins: number,
    most: number,
  ) {
    this.factors = layers.place("loudness.factor", 32);
    this.terms = layers.place("loudness.term", 32);
    this.numbers = memory.take(FLOAT * most);
  }

  reset(): void {
    this.powers = new Array<number>(this.facts.level[0]).fill(0);
  }

  /**
   * Take the spectra of new frames.
   *
   * @param last no frame follows.
   * @returns factors of the power of the frames whose level is known now.
   */
  gains(rows: number, spectra: Address, last: boolean): Float32Array {
    const { level, amplified, floor } = this.facts;
    const [before, after] = level;
    if (before + after === 0) {
      return new Float32Array(rows).fill(2);
    }
    this.kernels.meanPowers(rows, spectra, this.bins, this.used, this.numbers);
    const scale = amplified ** 2;
    const means = this.memory.floats(this.numbers, rows);
    means.forEach((mean) => this.powers.push(scale * mean));
    if (last) {
      this.powers.push(...new Array<number>(after).fill(0));
    }
    const count = Math.max(this.powers.length - before - after, 0);
    const gains = Float32Array.from({ length: count }, (_, first) => {
      const around = this.powers.slice(first, first + before + 1 + after);
      const mean = around.reduce((sum, power) => sum + power, 0) / around.length;
      return (2 * scale) / (mean + floor); // a sum of squares is half of what the network was given
    });
    this.powers.splice(0, count);
    return gains;
  }

  /** The loudness of frames whose gains are known, `[frames, bins]`. */
  measure(gains: Float32Array, spectra: Address, output: Address): void {
    this.memory.floats(this.numbers, gains.length).set(gains);
    this.kernels.loudness(
      ...[gains.length, spectra, this.bins, this.numbers, this.facts.floor] as const,
      ...[this.factors, this.terms, output] as const,
    );
  }
}
