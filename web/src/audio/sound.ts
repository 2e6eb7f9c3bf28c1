/** A sound to be written: its shape, and its samples piece by piece. */

import type { Samples } from "./song";

export interface Sound {
  /** Samples of a channel. */
  length: number;
  channels: number;
  rateHz: number;
  /** Of a sample in the file. */
  bits: number;
  /** Equally long channels, one piece after the other. */
  pieces: Iterable<Samples[]>;
}

/** A sample as a whole number of some bits, clipped to full scale. */
export function wholeNumber(sample: number, bits: number): number {
  const full = 2 ** (bits - 1);
  return Math.max(-full, Math.min(full - 1, Math.round(sample * full)));
}
