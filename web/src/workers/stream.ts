/** A recording piece by piece through a model, whatever runs it. */

import type { Engine } from "../model/engine";
import type { ModelShape } from "../separation/messages";
import { LiteRTStream } from "./litert_stream";
import { MaskerStream } from "./masker_stream";
import { startRuntime } from "./runtime";

export type Samples = Float32Array<ArrayBuffer>;

export interface Stream {
  readonly shape: ModelShape;
  /** Start a new recording. */
  reset(): void;
  /**
   * Add the next samples.
   *
   * @param channels equally long; a multiple of the block unless they are the last ones.
   * @param last ends the recording: all that is left is returned.
   * @returns the samples that are ready, by source and channel.
   */
  push(channels: Samples[], last: boolean): Promise<Samples[][]>;
}

/** Make the model of an engine ready. */
export async function openStream({ facts, model, runtime }: Engine): Promise<Stream> {
  if (runtime.kind === "litert") {
    return new LiteRTStream(await startRuntime(runtime, model), facts);
  }
  return MaskerStream.open(runtime.module, model, facts);
}
