/**
 * A recording block by block through a model in LiteRT, as `tfsepgan.ondevice.StreamingSeparator` does it.
 *
 * The model takes blocks of one length and returns the sources of the samples that were its input
 * `delay` samples earlier. Its state stays in the memory of the runtime from call to call.
 */

import { type SignatureRunner, Tensor } from "@litertjs/core";
import type { ModelFacts } from "../model/facts";
import type { ModelShape } from "../separation/messages";
import type { Samples, Stream } from "./stream";

const BLOCK = "block";
const VALID = "valid";

export class LiteRTStream implements Stream {
  readonly shape: ModelShape;
  private readonly states: { name: string; shape: Int32Array }[];
  private state: Record<string, Tensor> = {};
  /** Numbers of samples: pushed, computed by the model, returned. */
  private received = 0;
  private computed = 0;
  private returned = 0;

  constructor(
    private readonly runner: SignatureRunner,
    private readonly facts: ModelFacts,
  ) {
    const inputs = runner.getInputDetails();
    const [channels, block] = inputs.find(({ name }) => name === BLOCK)?.shape ?? [];
    if (!channels || !block) {
      throw new Error("the model has no input of blocks");
    }
    this.shape = { channels, block };
    this.states = inputs.filter(({ name }) => name !== BLOCK && name !== VALID);
    this.reset();
  }

  /** Start a new recording. */
  reset(): void {
    for (const tensor of Object.values(this.state)) {
      tensor.delete();
    }
    const zeros = this.states.map(({ name, shape }) => {
      const length = shape.reduce((product, size) => product * size, 1);
      return [name, new Tensor(new Float32Array(length), shape)] as const;
    });
    this.state = Object.fromEntries(zeros);
    this.received = this.computed = this.returned = 0;
  }

  /**
   * Add the next samples.
   *
   * @param channels equally long; a multiple of the block unless they are the last ones.
   * @param last ends the recording: all that is left is returned.
   * @returns the samples that are ready, by source and channel.
   */
  async push(channels: Samples[], last: boolean): Promise<Samples[][]> {
    const { block } = this.shape;
    const length = channels[0]?.length ?? 0;
    const { delay_samples: delay, sources } = this.facts;
    this.received += length;
    const missing = last ? this.received + delay - this.computed : length;
    const count = Math.ceil(missing / block) * block;
    const outputs = sources.map(() => channels.map(() => new Float32Array(count)));
    for (let first = 0; first < count; first += block) {
      const valid = Math.min(Math.max(length - first, 0), block);
      await this.step(channels, first, valid, outputs);
    }
    return this.ready(outputs, count);
  }

  /** One call of the model, from and to position `first` of the samples. */
  private async step(
    channels: Samples[],
    first: number,
    valid: number,
    outputs: Samples[][],
  ): Promise<void> {
    const { channels: width, block } = this.shape;
    const samples = new Float32Array(width * block);
    channels.forEach((channel, index) => {
      samples.set(channel.subarray(first, first + valid), index * block);
    });
    const given = {
      [BLOCK]: new Tensor(samples, [width, block, 1]),
      [VALID]: new Tensor(Int32Array.of(valid), [1]),
      ...this.state,
    };
    const results = await this.runner.run(given);
    Object.values(given).forEach((tensor) => tensor.delete());
    this.facts.sources.forEach((source, index) => {
      const values = (results[source] as Tensor).toTypedArray() as Samples;
      outputs[index]?.forEach((output, channel) => {
        output.set(values.subarray(channel * block, (channel + 1) * block), first);
      });
    });
    this.keepState(results);
  }

  private keepState(results: Record<string, Tensor>): void {
    const kept = new Set(this.states.map(({ name }) => name));
    for (const [name, tensor] of Object.entries(results)) {
      if (kept.has(name)) {
        this.state[name] = tensor;
      } else {
        tensor.delete();
      }
    }
  }

  /** The new samples without the delay at the start and the surplus at the end. */
  private ready(outputs: Samples[][], count: number): Samples[][] {
    const { delay_samples: delay } = this.facts;
    const first = Math.min(Math.max(delay - this.computed, 0), count);
    this.computed += count;
    const last = first + Math.min(count - first, this.received - this.returned);
    this.returned += last - first;
    return outputs.map((source) => source.map((channel) => channel.slice(first, last)));
  }
}
