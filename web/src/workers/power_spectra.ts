/** Power spectra of frames anywhere in a signal, by the kernels. */

import { circleOf } from "../network/circle";
import { type Address, type Kernels, kernelsOn } from "../network/kernels";
import { Memory } from "../network/memory";

const AT_A_TIME = 16; // frames, a multiple of 4; their spectra stay in the processor's cache
const FLOAT = 4; // bytes
const COMPLEX = 32; // bytes of a complex number of four frames

export class PowerSpectra {
  private readonly window: Address;
  private readonly circle: Address;
  private readonly frames: Address;
  private readonly spectra: Address;
  private readonly work: Address;

  private constructor(
    private readonly kernels: Kernels,
    private readonly memory: Memory,
    private readonly length: number,
  ) {
    // a sine of full scale gets the power 1
    const window = Float32Array.from({ length }, (_, index) => {
      return (2 - 2 * Math.cos((2 * Math.PI * index) / length)) / length;
    });
    this.window = memory.store(new Uint8Array(window.buffer));
    this.circle = memory.store(circleOf(length));
    this.frames = memory.take(AT_A_TIME * length * FLOAT);
    this.spectra = memory.take(AT_A_TIME * length * FLOAT);
    this.work = memory.take((length + 8) * COMPLEX);
  }

  /** @param length of a frame, a power of two. */
  static async open(module: WebAssembly.Module, length: number): Promise<PowerSpectra> {
    const memory = new Memory();
    return new PowerSpectra(await kernelsOn(module, memory.buffer), memory, length);
  }

  /**
   * Measure frames with a Hann window; beyond the samples, they are silent.
   *
   * @param starts of the frames in the samples.
   * @param take is given the number of each frame, and the real and imaginary parts of its bins
   *   below half the rate; they are valid until it returns.
   */
  measure(
    samples: Float32Array,
    starts: number[],
    take: (index: number, real: Float32Array, imaginary: Float32Array) => void,
  ): void {
    const { length, memory } = this;
    const half = length / 2;
    for (let first = 0; first < starts.length; first += AT_A_TIME) {
      const some = starts.slice(first, first + AT_A_TIME);
      some.forEach((start, index) => this.copy(samples, start, index));
      this.kernels.analyse(
        ...[some.length, this.frames, length, this.window, length, half, this.spectra] as const,
        ...[this.work, this.circle] as const,
      );
      some.forEach((_, index) => {
        const real = memory.floats(this.spectra + index * length * FLOAT, half);
        const imaginary = memory.floats(this.spectra + (index * length + half) * FLOAT, half);
        take(first + index, real, imaginary);
      });
    }
  }

  private copy(samples: Float32Array, start: number, index: number): void {
    const { length } = this;
    const frame = this.memory.floats(this.frames + index * length * FLOAT, length);
    const from = Math.max(start, 0);
    const to = Math.max(from, Math.min(start + length, samples.length));
    frame.fill(0);
    frame.set(samples.subarray(from, to), from - start);
  }
}
