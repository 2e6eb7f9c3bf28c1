/**
 * Fourier transforms of four signals at a time, one in each lane.
 *
 * A complex number takes two vectors: four real parts, four imaginary parts.
 *
 * Source: Stockham's transform of radix 4, which needs no bit reversal: Van Loan 1992,
 * "Computational Frameworks for the Fast Fourier Transform", section 2.4.
 */

/** Bytes of a complex number in four lanes. */
export const COMPLEX: usize = 32;

/**
 * Transform complex signals.
 *
 * @param from, to memory for `length` complex numbers each; both are overwritten.
 * @param length a power of two, at least 2.
 * @param circle cosine and sine of `2 pi k / (2 * length)` for each `k` below `2 * length`.
 * @returns where the result is: `from` or `to`.
 */
export function transform(from: usize, to: usize, length: usize, circle: usize): usize {
  let size = length; // of the transforms that are left
  let stride: usize = COMPLEX; // between the elements of each
  for (; size >= 4; size >>= 2) {
    pass(from, to, size, stride, circle, (length / size) << 4);
    const result = to;
    to = from;
    from = result;
    stride <<= 2;
  }
  if (size == 1) {
    return from;
  }
  for (let at: usize = 0; at < stride; at += COMPLEX) {
    const one = from + at;
    const other = one + stride;
    const real = v128.load(other);
    const imaginary = v128.load(other, 16);
    v128.store(to + at, f32x4.add(v128.load(one), real));
    v128.store(to + at, f32x4.add(v128.load(one, 16), imaginary), 16);
    v128.store(to + at + stride, f32x4.sub(v128.load(one), real));
    v128.store(to + at + stride, f32x4.sub(v128.load(one, 16), imaginary), 16);
  }
  return to;
}

/** @param turn bytes in `circle` from one factor to the next. */
@inline
function pass(
  from: usize,
  to: usize,
  size: usize,
  stride: usize,
  circle: usize,
  turn: usize,
): void {
  const quarter = (size >> 2) * stride;
  for (let part: usize = 0; part < size >> 2; part += 1) {
    const angle = circle + part * turn;
    const cos1 = v128.load32_splat(angle), sin1 = v128.load32_splat(angle, 4);
    const angle2 = angle + part * turn;
    const cos2 = v128.load32_splat(angle2), sin2 = v128.load32_splat(angle2, 4);
    const angle3 = angle2 + part * turn;
    const cos3 = v128.load32_splat(angle3), sin3 = v128.load32_splat(angle3, 4);
    let input = from + part * stride;
    let output = to + 4 * part * stride;
    for (const end = input + stride; input < end; input += COMPLEX, output += COMPLEX) {
      const second = input + quarter;
      const third = second + quarter;
      const fourth = third + quarter;
      const realA = v128.load(input), realC = v128.load(third);
      const realB = v128.load(second), realD = v128.load(fourth);
      const imagA = v128.load(input, 16), imagC = v128.load(third, 16);
      const imagB = v128.load(second, 16), imagD = v128.load(fourth, 16);
      const sumReal = f32x4.add(realA, realC), sumImag = f32x4.add(imagA, imagC);
      const oddReal = f32x4.add(realB, realD), oddImag = f32x4.add(imagB, imagD);
      v128.store(output, f32x4.add(sumReal, oddReal));
      v128.store(output, f32x4.add(sumImag, oddImag), 16);
      const half = output + 2 * stride;
      turned(half, f32x4.sub(sumReal, oddReal), f32x4.sub(sumImag, oddImag), cos2, sin2);
      const lessReal = f32x4.sub(realA, realC), lessImag = f32x4.sub(imagA, imagC);
      // i times the difference of the other two
      const crossReal = f32x4.sub(imagD, imagB), crossImag = f32x4.sub(realB, realD);
      const first = output + stride;
      turned(first, f32x4.sub(lessReal, crossReal), f32x4.sub(lessImag, crossImag), cos1, sin1);
      const last = half + stride;
      turned(last, f32x4.add(lessReal, crossReal), f32x4.add(lessImag, crossImag), cos3, sin3);
    }
  }
}

/** Store a number times `cos - i sin`. */
@inline
function turned(output: usize, real: v128, imag: v128, cos: v128, sin: v128): void {
  v128.store(output, f32x4.add(f32x4.mul(real, cos), f32x4.mul(imag, sin)));
  v128.store(output, f32x4.sub(f32x4.mul(imag, cos), f32x4.mul(real, sin)), 16);
}
