/** What the page and a separating worker send each other. */

import type { Engine } from "../model/engine";

export type ToWorker =
  | { kind: "load"; engine: Engine }
  /** A new stretch of a recording; whatever is left of the one before is dropped. */
  | { kind: "begin"; task: number }
  /** The next samples, by channel; at most as many channels as the model takes. */
  | { kind: "samples"; task: number; channels: Float32Array<ArrayBuffer>[]; last: boolean };

export type FromWorker =
  | { kind: "loaded"; shape: ModelShape }
  /** The sources of the samples that are ready, by source and channel; one answer to "samples". */
  | { kind: "estimates"; task: number; sources: Float32Array<ArrayBuffer>[][] }
  | { kind: "failed"; message: string };

/** Read from the tensors of the model. */
export interface ModelShape {
  /** Channels that one call separates. */
  channels: number;
  block: number;
}
