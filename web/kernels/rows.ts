/** What stands between two products: normalisation, rectification, and rounding to 16 bits. */

import { largest, sumOf } from "./lanes";

/** Adding it to a number below 2^22 leaves the nearest whole number in the lowest bits. */
const ROUNDING: f32 = 12582912.0; // 1.5 * 2^23

/**
 * Start the outputs of a product: `output[row] = source[row] + bias`.
 *
 * @param sourceBytes between two rows; 0 takes the same row each time.
 */
export function begin(
  rows: usize,
  source: usize,
  sourceBytes: usize,
  bias: usize,
  output: usize,
  outputBytes: usize,
): void {
  for (let row: usize = 0; row < rows; row += 1) {
    for (let at: usize = 0; at < outputBytes; at += 16) {
      v128.store(output + at, f32x4.add(v128.load(source + at), v128.load(bias + at)));
    }
    source += sourceBytes;
    output += outputBytes;
  }
}

/**
 * Layer normalisation, rounded as by `round`.
 *
 * @param channels a multiple of 8.
 * @param normal scratch memory for one row.
 */
export function normalise(
  rows: usize,
  input: usize,
  channels: usize,
  gamma: usize,
  beta: usize,
  epsilon: f32,
  limit: f32,
  normal: usize,
  output: usize,
  scales: usize,
): void {
  const bytes: usize = 4 * channels;
  for (let row: usize = 0; row < rows; row += 1) {
    let sums = f32x4.splat(0);
    for (let at: usize = 0; at < bytes; at += 16) {
      sums = f32x4.add(sums, v128.load(input + at));
    }
    const mean = f32x4.splat(sumOf(sums) / <f32>channels);
    sums = f32x4.splat(0);
    for (let at: usize = 0; at < bytes; at += 16) {
      const centred = f32x4.sub(v128.load(input + at), mean);
      sums = f32x4.add(sums, f32x4.mul(centred, centred));
    }
    const factor = f32x4.splat(1 / sqrt<f32>(sumOf(sums) / <f32>channels + epsilon));
    for (let at: usize = 0; at < bytes; at += 16) {
      const centred = f32x4.mul(f32x4.sub(v128.load(input + at), mean), factor);
      const scaled = f32x4.mul(centred, v128.load(gamma + at));
      v128.store(normal + at, f32x4.add(scaled, v128.load(beta + at)));
    }
    roundRow(normal, channels, -Infinity, limit, output, scales);
    input += bytes;
    output += 2 * channels;
    scales += 4;
  }
}

/**
 * Rows as 16-bit numbers from `-limit` to `limit`, each with a scale of its own.
 *
 * @param width numbers in a row, a multiple of 8.
 * @param least smaller numbers are raised to it: 0 rectifies.
 */
export function round(
  rows: usize,
  input: usize,
  width: usize,
  least: f32,
  limit: f32,
  output: usize,
  scales: usize,
): void {
  for (let row: usize = 0; row < rows; row += 1) {
    roundRow(input, width, least, limit, output, scales);
    input += 4 * width;
    output += 2 * width;
    scales += 4;
  }
}

@inline
function roundRow(
  input: usize,
  width: usize,
  least: f32,
  limit: f32,
  output: usize,
  scale: usize,
): void {
  const lowest = f32x4.splat(least);
  let most = f32x4.splat(0);
  for (let at: usize = 0; at < 4 * width; at += 16) {
    most = f32x4.max(most, f32x4.abs(f32x4.max(v128.load(input + at), lowest)));
  }
  const peak = largest(most);
  f32.store(scale, peak / limit);
  const factor = f32x4.splat(peak > 0 ? limit / peak : 0);
  for (let at: usize = 0; at < 4 * width; at += 32) {
    const low = whole(f32x4.max(v128.load(input + at), lowest), factor);
    const high = whole(f32x4.max(v128.load(input + at, 16), lowest), factor);
    v128.store(output + (at >> 1), i16x8.narrow_i32x4_s(low, high));
  }
}

@inline
function whole(values: v128, factor: v128): v128 {
  const shifted = f32x4.add(f32x4.mul(values, factor), f32x4.splat(ROUNDING));
  return i32x4.sub(shifted, i32x4.splat(reinterpret<i32>(ROUNDING)));
}
