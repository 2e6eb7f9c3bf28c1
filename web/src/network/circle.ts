/** The table of angles that the transforms of the kernels read. */

/** Cosine and sine of the multiples of a turn's `parts`-th part. */
export function circleOf(parts: number): Uint8Array<ArrayBuffer> {
  const table = Float32Array.from({ length: 2 * parts }, (_, index) => {
    const angle = (2 * Math.PI * (index >> 1)) / parts;
    return index & 1 ? Math.sin(angle) : Math.cos(angle);
  });
  return new Uint8Array(table.buffer);
}
