/** The layers of the filterbank masker, in the memory of the kernels. */

import type { StoredArray } from "./arrays";
import type { Address, Kernels } from "./kernels";
import type { Memory } from "./memory";

const MOST_16_BIT = 32767;
const MOST_8_BIT = 127;
const MOST_SUM = 2 ** 31 - 1;

/** Frames in 16 bits, each with its scale. */
export interface Rounded {
  values: Address;
  scales: Address;
}

/** A `keras.layers.Dense`, or one tap after the other of a convolution. */
export interface Dense {
  weights: Address;
  scales: Address;
  bias: Address;
  inputs: number;
  outputs: number;
}

export interface Norm {
  gamma: Address;
  beta: Address;
}

/** Places the arrays of a file in the memory. */
export class Layers {
  readonly panel: Address;
  private readonly zeros: Address;
  private readonly normal: Address;

  /** @param widest numbers in the widest row. */
  constructor(
    private readonly kernels: Kernels,
    private readonly memory: Memory,
    private readonly arrays: Map<string, StoredArray>,
    widest: number,
  ) {
    this.panel = memory.take(16 * widest);
    this.zeros = memory.take(4 * widest);
    this.normal = memory.take(4 * widest);
  }

  /** Where an array lies. */
  place(name: string, further = 0): Address {
    return this.memory.store(this.stored(name).bytes, further);
  }

  /** Numbers of an array. */
  size(name: string): number {
    return this.stored(name).shape.reduce((product, length) => product * length, 1);
  }

  dense(layer: string): Dense {
    const [inputs, outputs] = this.stored(`${layer}.kernel`).shape.slice(-2) as [number, number];
    return {
      // the product reads rows beyond the last, times inputs of zero
      weights: this.place(`${layer}.kernel`, 8 * outputs),
      scales: this.place(`${layer}.scale`),
      bias: this.place(`${layer}.bias`),
      inputs,
      outputs,
    };
  }

  norm(layer: string): Norm {
    return { gamma: this.place(`${layer}.gamma`), beta: this.place(`${layer}.beta`) };
  }

  /** Start the outputs of a layer with its bias. */
  begin(rows: number, { bias, outputs }: Dense, output: Address): void {
    this.kernels.begin(rows, this.zeros, 0, bias, output, 4 * padded(outputs));
  }

  /** Add the products of a layer, or of one tap of a convolution, to its outputs. */
  add(rows: number, input: Rounded, layer: Dense, output: Address, tap = 0): void {
    const { inputs, outputs, scales } = layer;
    this.kernels.product(
      ...[rows, input.values, 2 * padded(inputs), input.scales, padded(inputs)] as const,
      ...[layer.weights + tap * inputs * outputs, scales, outputs] as const,
      ...[output, 4 * padded(outputs), this.panel] as const,
    );
  }

  /** @param least smaller numbers are raised to it. */
  round(rows: number, input: Address, width: number, output: Rounded, least = -Infinity): void {
    const { values, scales } = output;
    this.kernels.round(rows, input, padded(width), least, largest(width), values, scales);
  }

  normalise(
    rows: number,
    input: Address,
    channels: number,
    { gamma, beta }: Norm,
    epsilon: number,
    { values, scales }: Rounded,
  ): void {
    const limit = largest(channels);
    const { normal } = this;
    this.kernels.normalise(
      ...[rows, input, channels, gamma, beta, epsilon, limit, normal, values, scales] as const,
    );
  }

  private stored(name: string): StoredArray {
    const array = this.arrays.get(name);
    if (!array) {
      throw new Error(`the file of the model has no ${name}`);
    }
    return array;
  }
}

/** Numbers of a row in the memory: rows begin and end with whole vectors. */
export function padded(width: number): number {
  return Math.ceil(width / 8) * 8;
}

/** The largest 16-bit input for which no sum of a product overflows. */
function largest(inputs: number): number {
  return Math.min(MOST_16_BIT, Math.floor(MOST_SUM / (MOST_8_BIT * inputs)));
}
