/** One residual block of the mask network: normalise, look at other frames, rectify, mix, add. */

import type { NetworkFacts } from "./facts";
import type { Address, Kernels } from "./kernels";
import type { Dense, Layers, Norm, Rounded } from "./layers";
import type { Memory } from "./memory";
import { Rows } from "./rows";

const KERNEL = 3; // taps of the convolution
const FLOAT = 4; // bytes
const SHORT = 2;

/** Memory that all blocks use in turn. */
export interface Scratch {
  branch: Address;
  rounded: Rounded;
}

export class Block {
  /** The block's input, where the one before writes it; it waits for the frames ahead. */
  readonly signal: Rows;
  private readonly channels: number;
  private readonly norm: Norm;
  private readonly look: Dense;
  private readonly mix: Dense;
  private readonly values: Rows;
  private readonly scales: Rows;
  private readonly dilation: number;
  private readonly ahead: number;

  /** @param most frames at a time. */
  constructor(
    private readonly kernels: Kernels,
    memory: Memory,
    private readonly facts: NetworkFacts,
    private readonly layers: Layers,
    number: number,
    most: number,
  ) {
    this.dilation = facts.dilations[number] ?? 1;
    this.ahead = facts.ahead[number] ?? 0;
    this.norm = layers.norm(numbered("layer_normalization", number));
    this.look = layers.dense(numbered("dilated_conv1d", number));
    this.mix = layers.dense(`dense_${number + 1}`);
    this.channels = this.look.outputs;
    const waiting = most + (KERNEL - 1) * this.dilation;
    this.signal = new Rows(memory, waiting, FLOAT * this.channels);
    this.values = new Rows(memory, waiting, SHORT * this.channels);
    this.scales = new Rows(memory, waiting, FLOAT);
  }

  reset(): void {
    this.signal.reset();
    const before = (KERNEL - 1) * this.dilation - this.ahead;
    this.values.reset(before);
    this.scales.reset(before);
  }

  /**
   * Process the frames that have all of their context.
   *
   * @param fresh frames that were added to `signal`.
   * @param last no frame follows.
   * @param next where the results are added.
   * @returns their number.
   */
  run(fresh: number, last: boolean, next: Rows, { branch, rounded }: Scratch): number {
    const { channels, dilation, layers, look, mix, signal, values, scales } = this;
    const from = signal.end - fresh * signal.bytes;
    const normal = { values: values.end, scales: scales.end };
    layers.normalise(fresh, from, channels, this.norm, this.facts.epsilon, normal);
    values.added(fresh);
    scales.added(fresh);
    if (last) {
      values.addZeros(this.ahead);
      scales.addZeros(this.ahead);
    }
    const count = Math.max(values.count - (KERNEL - 1) * dilation, 0);
    layers.begin(count, look, branch);
    for (let tap = 0; tap < KERNEL; tap += 1) {
      const shift = tap * dilation;
      const input = {
        values: values.start + shift * values.bytes,
        scales: scales.start + shift * scales.bytes,
      };
      layers.add(count, input, look, branch, tap);
    }
    layers.round(count, branch, channels, rounded, 0);
    const { bytes } = signal;
    this.kernels.begin(count, signal.start, bytes, mix.bias, next.end, bytes);
    layers.add(count, rounded, mix, next.end);
    next.added(count);
    [signal, values, scales].forEach((rows) => rows.drop(count));
    return count;
  }
}

/** The name that Keras gives the layer: the first has no number. */
export function numbered(kind: string, number: number): string {
  return number ? `${kind}_${number}` : kind;
}
