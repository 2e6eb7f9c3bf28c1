/**
 * Products of frames and weights: 16-bit inputs, 8-bit weights, sums of whole numbers.
 *
 * Two 16-bit products and their sum are one instruction, in every WebAssembly with SIMD. So this is
 * faster than float32 products, and as the sums are exact, their order does not matter: a signal
 * gives the same estimates however it is cut.
 */

/** Frames whose sums are in registers at a time. */
const ROWS: usize = 4;
/** Outputs of the same: two vectors of four. With the 8 sums, the registers are used up. */
const COLUMNS: usize = 8;

/**
 * Add products to the outputs of frames.
 *
 * `output[row, column] += scales[row] * weightScales[column] * sum(input[row] * weights[, column])`
 *
 * Rows up to the next multiple of 4 and columns up to that of 8 are written, too.
 *
 * @param input 16-bit; `inputs` even, and zero where there are no weights.
 * @param weights 8-bit, `[inputs, outputs]`, followed by at least `4 * outputs` bytes.
 * @param panel scratch memory, `16 * inputs` bytes.
 */
export function product(
  rows: usize,
  input: usize,
  inputBytes: usize,
  scales: usize,
  inputs: usize,
  weights: usize,
  weightScales: usize,
  outputs: usize,
  output: usize,
  outputBytes: usize,
  panel: usize,
): void {
  for (let column: usize = 0; column < outputs; column += COLUMNS) {
    unpack(weights + column, outputs, inputs, panel);
    const scaleA = v128.load(weightScales + 4 * column);
    const scaleB = v128.load(weightScales + 4 * column, 16);
    for (let row: usize = 0; row < rows; row += ROWS) {
      tile(
        input + row * inputBytes,
        inputBytes,
        scales + 4 * row,
        inputs,
        panel,
        scaleA,
        scaleB,
        output + row * outputBytes + 4 * column,
        outputBytes,
      );
    }
  }
}

/** The weights of 8 outputs in 16 bits, those of two inputs side by side. */
@inline
function unpack(weights: usize, outputs: usize, inputs: usize, panel: usize): void {
  for (const end = panel + 16 * inputs; panel < end; panel += 32) {
    const even = v128.load64_zero(weights);
    const odd = v128.load64_zero(weights + outputs);
    const pairs = v128.shuffle<i8>(
      even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
    );
    v128.store(panel, i16x8.extend_low_i8x16_s(pairs));
    v128.store(panel, i16x8.extend_high_i8x16_s(pairs), 16);
    weights += 2 * outputs;
  }
}

/** Four frames times eight outputs. */
@inline
function tile(
  input: usize,
  inputBytes: usize,
  scales: usize,
  inputs: usize,
  panel: usize,
  scaleA: v128,
  scaleB: v128,
  output: usize,
  outputBytes: usize,
): void {
  const end = input + 2 * inputs;
  let input1 = input + inputBytes;
  let input2 = input1 + inputBytes;
  let input3 = input2 + inputBytes;
  let a0 = i32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
  let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  while (input < end) {
    const a = v128.load(panel), b = v128.load(panel, 16);
    let pair = v128.load32_splat(input);
    a0 = added(a0, pair, a), b0 = added(b0, pair, b);
    pair = v128.load32_splat(input1);
    a1 = added(a1, pair, a), b1 = added(b1, pair, b);
    pair = v128.load32_splat(input2);
    a2 = added(a2, pair, a), b2 = added(b2, pair, b);
    pair = v128.load32_splat(input3);
    a3 = added(a3, pair, a), b3 = added(b3, pair, b);
    // two turns at a time would be slower: the compiler runs out of registers
    input += 4, input1 += 4, input2 += 4, input3 += 4, panel += 32;
  }
  finish(a0, b0, v128.load32_splat(scales), scaleA, scaleB, output);
  output += outputBytes;
  finish(a1, b1, v128.load32_splat(scales, 4), scaleA, scaleB, output);
  output += outputBytes;
  finish(a2, b2, v128.load32_splat(scales, 8), scaleA, scaleB, output);
  output += outputBytes;
  finish(a3, b3, v128.load32_splat(scales, 12), scaleA, scaleB, output);
}

@inline
function added(sums: v128, pair: v128, weights: v128): v128 {
  return i32x4.add(sums, i32x4.dot_i16x8_s(pair, weights));
}

/** Give the sums of one frame their scales, and add them to its outputs. */
@inline
function finish(a: v128, b: v128, scale: v128, scaleA: v128, scaleB: v128, output: usize): void {
  const valueA = f32x4.mul(f32x4.convert_i32x4_s(a), f32x4.mul(scale, scaleA));
  const valueB = f32x4.mul(f32x4.convert_i32x4_s(b), f32x4.mul(scale, scaleB));
  v128.store(output, f32x4.add(v128.load(output), valueA));
  v128.store(output, f32x4.add(v128.load(output, 16), valueB), 16);
}
