/**
 * Windowed frames of a signal to their spectra, and masked spectra to a signal; four at a time.
 *
 * A real frame is transformed as half as many complex numbers: even samples are the real parts, odd
 * ones the imaginary parts.
 *
 * A row of a spectrum has the real parts of all bins, then the imaginary parts.
 */

import { COMPLEX, transform } from "./fourier";
import { firsts, high, low, seconds } from "./lanes";

/**
 * Spectra of frames.
 *
 * Rows up to the next multiple of 4 are written, and as many frames read.
 *
 * @param samples of the first frame; the next ones start `hop` samples later each.
 * @param size of a frame, a power of two from 4 on.
 * @param bins of a row, a multiple of 4, at most size.
 * @param work memory for `size + 8` complex numbers in four lanes.
 * @param circle see `transform`.
 */
export function analyse(
  frames: usize,
  samples: usize,
  hop: usize,
  window: usize,
  size: usize,
  bins: usize,
  output: usize,
  work: usize,
  circle: usize,
): void {
  const half = size >> 1;
  const row: usize = 8 * bins;
  for (let frame: usize = 0; frame < frames; frame += 4) {
    const from = samples + 4 * hop * frame;
    for (let at: usize = 0; at < 4 * size; at += 16) {
      const shape = v128.load(window + at);
      const one = f32x4.mul(v128.load(from + at), shape);
      const two = f32x4.mul(v128.load(from + at + 4 * hop), shape);
      const three = f32x4.mul(v128.load(from + at + 8 * hop), shape);
      const four = f32x4.mul(v128.load(from + at + 12 * hop), shape);
      transposed(work + 4 * at, 16, one, two, three, four);
    }
    const result = transform(work, work + half * COMPLEX, half, circle);
    split(result, half, bins, output + frame * row, row, circle);
  }
}

/** The spectra of real frames from the transforms of half their length. */
@inline
function split(
  from: usize,
  half: usize,
  bins: usize,
  output: usize,
  row: usize,
  circle: usize,
): void {
  const both = f32x4.splat(0.5);
  let real0 = both, real1 = both, real2 = both, imag0 = both, imag1 = both, imag2 = both;
  for (let bin: usize = 0; bin < bins; bin += 1) {
    const one = from + (bin & (half - 1)) * COMPLEX;
    const other = from + ((half - bin) & (half - 1)) * COMPLEX;
    const a = f32x4.mul(v128.load(one), both), b = f32x4.mul(v128.load(one, 16), both);
    const c = f32x4.mul(v128.load(other), both), d = f32x4.mul(v128.load(other, 16), both);
    const oddReal = f32x4.add(b, d), oddImag = f32x4.sub(c, a);
    const cos = v128.load32_splat(circle + 8 * bin), sin = v128.load32_splat(circle + 8 * bin, 4);
    const turnedReal = f32x4.add(f32x4.mul(oddReal, cos), f32x4.mul(oddImag, sin));
    const turnedImag = f32x4.sub(f32x4.mul(oddImag, cos), f32x4.mul(oddReal, sin));
    const real = f32x4.add(f32x4.add(a, c), turnedReal);
    const imag = f32x4.add(f32x4.sub(b, d), turnedImag);
    if ((bin & 3) == 3) {
      transposed(output + 4 * (bin - 3), row, real0, real1, real2, real);
      transposed(output + 4 * (bins + bin - 3), row, imag0, imag1, imag2, imag);
    }
    real0 = real1, real1 = real2, real2 = real;
    imag0 = imag1, imag1 = imag2, imag2 = imag;
  }
}

/**
 * Add masked frames to a signal, the second and later ones `hop` samples later each.
 *
 * @param spectra, bins as `analyse` has them; bins from `used` on count as zero.
 * @param masks with `maskBytes` from row to row; rows up to the next multiple of 4 are read.
 * @param window of the last `length` samples of each frame, over `size`.
 */
export function synthesise(
  frames: usize,
  spectra: usize,
  bins: usize,
  used: usize,
  masks: usize,
  maskBytes: usize,
  hop: usize,
  window: usize,
  length: usize,
  size: usize,
  output: usize,
  work: usize,
  circle: usize,
): void {
  const half = size >> 1;
  const row: usize = 8 * bins;
  const joined = work + (half + 8) * COMPLEX;
  for (let frame: usize = 0; frame < frames; frame += 4) {
    const spectrum = spectra + frame * row;
    masked(spectrum, row, masks + frame * maskBytes, maskBytes, bins, work);
    masked(spectrum + 4 * bins, row, masks + frame * maskBytes, maskBytes, bins, work + 16);
    memory.fill(work + used * COMPLEX, 0, (half + 1 - used) * COMPLEX);
    join(work, half, joined, circle);
    const result = transform(joined, work, half, circle);
    const last = min<usize>(frames - frame, 4);
    overlap(result + (size - length) * 16, last, hop, window, length, output + 4 * hop * frame);
  }
}

/** Real or imaginary parts of four rows times their masks, by lanes. */
@inline
function masked(
  parts: usize,
  row: usize,
  mask: usize,
  maskBytes: usize,
  bins: usize,
  output: usize,
): void {
  for (let at: usize = 0; at < 4 * bins; at += 16) {
    const one = f32x4.mul(v128.load(parts + at), v128.load(mask + at));
    const two = f32x4.mul(v128.load(parts + row + at), v128.load(mask + maskBytes + at));
    const three = f32x4.mul(v128.load(parts + 2 * row + at), v128.load(mask + 2 * maskBytes + at));
    const four = f32x4.mul(v128.load(parts + 3 * row + at), v128.load(mask + 3 * maskBytes + at));
    transposed(output + 8 * at, COMPLEX, one, two, three, four);
  }
}

/** Undo `split`; real and imaginary parts are exchanged, which turns a transform into its inverse. */
@inline
function join(from: usize, half: usize, output: usize, circle: usize): void {
  for (let bin: usize = 0; bin < half; bin += 1) {
    const one = from + bin * COMPLEX;
    const other = from + (half - bin) * COMPLEX;
    const a = v128.load(one), b = v128.load(one, 16);
    const c = v128.load(other), d = v128.load(other, 16);
    const oddReal = f32x4.sub(a, c), oddImag = f32x4.add(b, d);
    const cos = v128.load32_splat(circle + 8 * bin), sin = v128.load32_splat(circle + 8 * bin, 4);
    const turnedReal = f32x4.sub(f32x4.mul(oddReal, cos), f32x4.mul(oddImag, sin));
    const turnedImag = f32x4.add(f32x4.mul(oddImag, cos), f32x4.mul(oddReal, sin));
    v128.store(output + bin * COMPLEX, f32x4.add(f32x4.sub(b, d), turnedReal));
    v128.store(output + bin * COMPLEX, f32x4.sub(f32x4.add(a, c), turnedImag), 16);
  }
}

/** Add the windowed samples of up to four frames. Imaginary parts are the even samples here. */
@inline
function overlap(
  from: usize,
  frames: usize,
  hop: usize,
  window: usize,
  length: usize,
  output: usize,
): void {
  for (let frame: usize = 0; frame < frames; frame += 1) {
    for (let at: usize = 0; at < 4 * length; at += 16) {
      const first = from + 4 * at + 4 * frame;
      let samples = v128.load32_zero(first, 16);
      samples = v128.load_lane<f32>(first, samples, 1, 0);
      samples = v128.load_lane<f32>(first, samples, 2, 48);
      samples = v128.load_lane<f32>(first, samples, 3, 32);
      const shaped = f32x4.mul(samples, v128.load(window + at));
      v128.store(output + at, f32x4.add(v128.load(output + at), shaped));
    }
    output += 4 * hop;
  }
}

/** Store the columns of four rows. */
@inline
function transposed(
  output: usize,
  bytes: usize,
  one: v128,
  two: v128,
  three: v128,
  four: v128,
): void {
  const low12 = low(one, two), low34 = low(three, four);
  const high12 = high(one, two), high34 = high(three, four);
  v128.store(output, firsts(low12, low34));
  v128.store(output + bytes, seconds(low12, low34));
  v128.store(output + 2 * bytes, firsts(high12, high34));
  v128.store(output + 3 * bytes, seconds(high12, high34));
}
