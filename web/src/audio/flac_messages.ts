/** What the page and the worker that writes FLAC files say to each other. */

export type ToFlac =
  | { kind: "begin"; folder: string; rateHz: number; channels: number; bits: number; length: number }
  | { kind: "samples"; samples: Int32Array<ArrayBuffer> }
  | { kind: "end" };

/** One answer to each message; the file is in that to "end". */
export interface FromFlac {
  file?: Blob;
  problem?: string;
}
