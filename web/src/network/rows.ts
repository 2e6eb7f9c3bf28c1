/**
 * Rows that wait in the memory of the kernels, first in, first out: the context of a place in the
 * network that looks at other frames.
 */

import type { Address } from "./kernels";
import type { Memory } from "./memory";

/** The kernels work on four frames at a time, and may write three more than they are told. */
const SPARE_ROWS = 3;

export class Rows {
  readonly start: Address;
  /** Rows that wait. */
  count = 0;

  /** @param most rows at a time. */
  constructor(
    private readonly memory: Memory,
    most: number,
    readonly bytes: number,
  ) {
    this.start = memory.take((most + SPARE_ROWS) * bytes);
  }

  /** Where the next row is to be written. */
  get end(): Address {
    return this.start + this.count * this.bytes;
  }

  /** Count rows that were written at the end. */
  added(count: number): void {
    this.count += count;
  }

  /** Add rows of zeros. */
  addZeros(count: number): void {
    this.memory.clear(this.end, count * this.bytes);
    this.added(count);
  }

  /** Drop the first rows. */
  drop(count: number): void {
    this.count -= count;
    this.memory.move(this.start, this.start + count * this.bytes, this.count * this.bytes);
  }

  /** Drop all rows, and begin with some of zeros. */
  reset(zeros = 0): void {
    this.count = 0;
    this.addZeros(zeros);
  }
}
