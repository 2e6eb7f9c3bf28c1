/** The memory that the kernels work in: taken piece by piece, and given back all at once. */

import type { Address } from "./kernels";

const PAGE_BYTES = 65536;
/** After each piece: the kernels may go on to the next multiple of their step. */
const SLACK_BYTES = 64;

export class Memory {
  readonly buffer = new WebAssembly.Memory({ initial: 1 });
  /** Address 0 is never handed out, so that 0 can mean nothing. */
  private used = SLACK_BYTES;

  /** Take bytes, which are zero. */
  take(bytes: number): Address {
    const address = this.used;
    this.used += (Math.ceil(bytes / 16) * 16 + SLACK_BYTES);
    const missing = this.used - this.buffer.buffer.byteLength;
    if (missing > 0) {
      this.buffer.grow(Math.ceil(missing / PAGE_BYTES));
    }
    return address;
  }

  /** Take memory for some bytes, and copy them there. */
  store(bytes: Uint8Array, further = 0): Address {
    const address = this.take(bytes.length + further);
    this.bytes(address, bytes.length).set(bytes);
    return address;
  }

  floats(address: Address, count: number): Float32Array {
    return new Float32Array(this.buffer.buffer, address, count);
  }

  bytes(address: Address, count: number): Uint8Array {
    return new Uint8Array(this.buffer.buffer, address, count);
  }

  /** Copy bytes; the two places may overlap. */
  move(to: Address, from: Address, count: number): void {
    new Uint8Array(this.buffer.buffer).copyWithin(to, from, from + count);
  }

  clear(address: Address, count: number): void {
    this.bytes(address, count).fill(0);
  }
}
