/** Power spectra of real frames, by a radix-2 transform of half their length. */

export class PowerSpectrum {
  private readonly half: number;
  private readonly window: Float32Array;
  private readonly cosine: Float32Array;
  private readonly sine: Float32Array;
  private readonly order: Uint16Array;
  private readonly real: Float32Array;
  private readonly imaginary: Float32Array;

  /** @param length of a frame, a power of two up to 131072. */
  constructor(private readonly length: number) {
    this.half = length / 2;
    const turn = (index: number): number => (2 * Math.PI * index) / length;
    this.window = Float32Array.from({ length }, (_, index) => 0.5 - 0.5 * Math.cos(turn(index)));
    this.cosine = Float32Array.from({ length: this.half }, (_, index) => Math.cos(turn(index)));
    this.sine = Float32Array.from({ length: this.half }, (_, index) => -Math.sin(turn(index)));
    const bits = Math.log2(this.half);
    this.order = Uint16Array.from({ length: this.half }, (_, index) => reversed(index, bits));
    this.real = new Float32Array(this.half);
    this.imaginary = new Float32Array(this.half);
  }

  /**
   * Add the power of a windowed frame to `power`, one value for each bin below half the rate; a
   * sine of full scale gives 1.
   *
   * @param start of the frame in the samples; beyond them it is silent.
   */
  add(samples: Float32Array, start: number, power: Float32Array): void {
    const { half, real, imaginary } = this;
    for (let index = 0; index < half; index += 1) {
      const from = 2 * (this.order[index] ?? 0);
      real[index] = (samples[start + from] ?? 0) * (this.window[from] ?? 0);
      imaginary[index] = (samples[start + from + 1] ?? 0) * (this.window[from + 1] ?? 0);
    }
    this.transform();
    const scale = (4 / this.length) ** 2;
    for (let bin = 0; bin < half; bin += 1) {
      const mirror = bin === 0 ? 0 : half - bin;
      const evenReal = (real[bin]! + real[mirror]!) / 2;
      const evenImaginary = (imaginary[bin]! - imaginary[mirror]!) / 2;
      const oddReal = (imaginary[bin]! + imaginary[mirror]!) / 2;
      const oddImaginary = (real[mirror]! - real[bin]!) / 2;
      const cosine = this.cosine[bin]!;
      const sine = this.sine[bin]!;
      const sumReal = evenReal + oddReal * cosine - oddImaginary * sine;
      const sumImaginary = evenImaginary + oddReal * sine + oddImaginary * cosine;
      power[bin]! += scale * (sumReal ** 2 + sumImaginary ** 2);
    }
  }

  /** The transform of `half` complex values in bit-reversed order, in place. */
  private transform(): void {
    const { half, real, imaginary } = this;
    for (let size = 2; size <= half; size *= 2) {
      const stride = this.length / size;
      for (let base = 0; base < half; base += size) {
        for (let index = 0; index < size / 2; index += 1) {
          const low = base + index;
          const high = low + size / 2;
          const cosine = this.cosine[index * stride]!;
          const sine = this.sine[index * stride]!;
          const turnedReal = real[high]! * cosine - imaginary[high]! * sine;
          const turnedImaginary = real[high]! * sine + imaginary[high]! * cosine;
          real[high] = real[low]! - turnedReal;
          imaginary[high] = imaginary[low]! - turnedImaginary;
          real[low]! += turnedReal;
          imaginary[low]! += turnedImaginary;
        }
      }
    }
  }
}

function reversed(index: number, bits: number): number {
  let result = 0;
  for (let bit = 0; bit < bits; bit += 1) {
    result = (result << 1) | ((index >> bit) & 1);
  }
  return result;
}
