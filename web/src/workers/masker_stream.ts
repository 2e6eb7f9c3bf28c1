/** A recording piece by piece through the page's own filterbank masker, one channel at a time. */

import type { ModelFacts } from "../model/facts";
import { readArrays } from "../network/arrays";
import { kernelsOn } from "../network/kernels";
import { Masker } from "../network/masker";
import { Memory } from "../network/memory";
import type { ModelShape } from "../separation/messages";
import type { Samples, Stream } from "./stream";

/** Frames at a time: enough that the weights are read seldom, few enough that progress shows. */
const HOPS = 64;
const WARM_UP_HOPS = 8;

export class MaskerStream implements Stream {
  readonly shape: ModelShape;
  private received = 0;
  private returned = 0;

  private constructor(
    private readonly masker: Masker,
    hop: number,
  ) {
    this.shape = { channels: 1, block: HOPS * hop };
  }

  /** @throws Error where the model's file does not fit its facts. */
  static async open(
    module: WebAssembly.Module,
    model: Uint8Array<ArrayBuffer>,
    { network, sources }: ModelFacts,
  ): Promise<MaskerStream> {
    if (!network) {
      throw new Error("the model has no description of its network");
    }
    const memory = new Memory();
    const kernels = await kernelsOn(module, memory.buffer);
    const arrays = readArrays(model);
    const masker = new Masker(kernels, memory, arrays, network, sources.length, HOPS);
    // browsers optimise a function while it is used: so it is done before there is a recording
    masker.push(new Float32Array(WARM_UP_HOPS * network.hop), true);
    masker.reset();
    return new MaskerStream(masker, network.hop);
  }

  reset(): void {
    this.masker.reset();
    this.received = this.returned = 0;
  }

  async push([samples]: Samples[], last: boolean): Promise<Samples[][]> {
    const { block } = this.shape;
    const given = samples ?? new Float32Array(0);
    this.received += given.length;
    const parts: Samples[][] = [];
    for (let first = 0; first === 0 || first < given.length; first += block) {
      const end = Math.min(first + block, given.length);
      parts.push(this.masker.push(given.subarray(first, end), last && end === given.length));
    }
    const sources = (parts[0] ?? []).map((_, source) => {
      return joined(parts.map((part) => part[source] ?? new Float32Array(0)));
    });
    // after the end come samples that nobody wants
    const wanted = Math.min(sources[0]?.length ?? 0, this.received - this.returned);
    this.returned += wanted;
    return sources.map((source) => [source.slice(0, wanted)]);
  }
}

function joined(parts: Samples[]): Samples {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => {
    whole.set(part, at);
    return at + part.length;
  }, 0);
  return whole;
}
