/** The loudness that the network sees, and the masks that it gives. */

import { sumOf } from "./lanes";

/** Mean power of the first `used` bins of each row. */
export function meanPowers(
  rows: usize,
  spectra: usize,
  bins: usize,
  used: usize,
  output: usize,
): void {
  for (let row: usize = 0; row < rows; row += 1) {
    let sums = f32x4.splat(0);
    let at: usize = 0;
    for (; at + 16 <= 4 * used; at += 16) {
      sums = f32x4.add(sums, power(spectra + at, bins));
    }
    let sum = sumOf(sums);
    for (; at < 4 * used; at += 4) {
      const real = f32.load(spectra + at), imag = f32.load(spectra + at + 4 * bins);
      sum += real * real + imag * imag;
    }
    f32.store(output + 4 * row, sum / <f32>used);
    spectra += 8 * bins;
  }
}

/**
 * `log(gain * power + floor) * factor + term` of each bin.
 *
 * @param gains of the rows.
 * @param factors, terms of the bins; both zero beyond those in use.
 */
export function loudness(
  rows: usize,
  spectra: usize,
  bins: usize,
  gains: usize,
  floor: f32,
  factors: usize,
  terms: usize,
  output: usize,
): void {
  const least = f32x4.splat(floor);
  for (let row: usize = 0; row < rows; row += 1) {
    const gain = v128.load32_splat(gains + 4 * row);
    for (let at: usize = 0; at < 4 * bins; at += 16) {
      const level = log(f32x4.add(f32x4.mul(power(spectra + at, bins), gain), least));
      const scaled = f32x4.mul(level, v128.load(factors + at));
      v128.store(output + at, f32x4.add(scaled, v128.load(terms + at)));
    }
    spectra += 8 * bins;
    output += 4 * bins;
  }
}

/** The logistic function of `count` numbers, a multiple of 4, in place. */
export function sigmoid(count: usize, values: usize): void {
  const one = f32x4.splat(1);
  for (const end = values + 4 * count; values < end; values += 16) {
    v128.store(values, f32x4.div(one, f32x4.add(one, exp(f32x4.neg(v128.load(values))))));
  }
}

@inline
function power(spectrum: usize, bins: usize): v128 {
  const real = v128.load(spectrum), imag = v128.load(spectrum + 4 * bins);
  return f32x4.add(f32x4.mul(real, real), f32x4.mul(imag, imag));
}

/**
 * The natural logarithm of positive numbers, to float32 rounding.
 *
 * Its mantissa is brought to m in [1/sqrt(2), sqrt(2)); with s = (m - 1) / (m + 1), log m is the
 * series 2 (s + s^3 / 3 + s^5 / 5 + ...).
 */
@inline
function log(values: v128): v128 {
  const root = i32x4.splat(0x3f3504f3); // 1 / sqrt(2)
  const above = i32x4.sub(values, root);
  const exponent = f32x4.convert_i32x4_s(i32x4.shr_s(above, 23));
  const mantissa = i32x4.add(v128.and(above, i32x4.splat(0x007fffff)), root);
  const one = f32x4.splat(1);
  const less = f32x4.sub(mantissa, one);
  const s = f32x4.div(less, f32x4.add(mantissa, one));
  const square = f32x4.mul(s, s);
  let series = f32x4.splat(2.0 / 9.0);
  series = f32x4.add(f32x4.mul(series, square), f32x4.splat(2.0 / 7.0));
  series = f32x4.add(f32x4.mul(series, square), f32x4.splat(2.0 / 5.0));
  series = f32x4.add(f32x4.mul(series, square), f32x4.splat(2.0 / 3.0));
  series = f32x4.add(f32x4.mul(series, square), f32x4.splat(2.0));
  return f32x4.add(f32x4.mul(exponent, f32x4.splat(0.6931472)), f32x4.mul(series, s));
}

/**
 * The exponential function, to float32 rounding; arguments beyond 87 on either side count as 87.
 *
 * e^x = 2^n e^r with a whole number n and |r| <= log(2) / 2, where e^r is its Taylor series.
 */
@inline
function exp(values: v128): v128 {
  const most = f32x4.splat(87), least = f32x4.splat(-87);
  const clamped = f32x4.min(f32x4.max(values, least), most);
  const n = f32x4.nearest(f32x4.mul(clamped, f32x4.splat(1.4426950)));
  // log(2) in two parts, so that the product with n is exact
  let r = f32x4.sub(clamped, f32x4.mul(n, f32x4.splat(0.693359375)));
  r = f32x4.add(r, f32x4.mul(n, f32x4.splat(2.12194440e-4)));
  let series = f32x4.splat(1.0 / 5040.0);
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(1.0 / 720.0));
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(1.0 / 120.0));
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(1.0 / 24.0));
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(1.0 / 6.0));
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(0.5));
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(1));
  series = f32x4.add(f32x4.mul(series, r), f32x4.splat(1));
  const exponent = i32x4.shl(i32x4.trunc_sat_f32x4_s(n), 23);
  return i32x4.add(series, exponent);
}
