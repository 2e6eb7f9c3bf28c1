/** The worker that writes one FLAC file with libFLAC, compiled to WebAssembly by libflacjs. */

import type { FromFlac, ToFlac } from "../audio/flac_messages";

type Bytes = Uint8Array<ArrayBuffer>;

/** What libflacjs puts into the global scope; the parts that are used. */
interface Libflac {
  onready?: () => void;
  isReady(): boolean;
  create_libflac_encoder(
    rateHz: number,
    channels: number,
    bits: number,
    level: number,
    length: number,
  ): number;
  init_encoder_stream(
    encoder: number,
    write: (bytes: Bytes) => void,
    finished: (facts?: { md5sum: string }) => void,
  ): number;
  FLAC__stream_encoder_process_interleaved(
    encoder: number,
    samples: Int32Array,
    count: number,
  ): number | boolean;
  FLAC__stream_encoder_finish(encoder: number): number | boolean;
}

const scope = self as unknown as DedicatedWorkerGlobalScope & {
  FLAC_SCRIPT_LOCATION: string;
  Flac: Libflac;
};
const SCRIPT = "libflac.min.wasm.js";
const LEVEL = 5; // the encoder's default; higher ones take longer for 1 % fewer bytes
const MD5_AT = 26; // bytes from the start of the file, known at its end

const parts: Bytes[] = [];
let encoder = 0;
let channelCount = 1;
let md5 = "";
let queue: Promise<void> = Promise.resolve();

scope.onmessage = ({ data }: MessageEvent<ToFlac>): void => {
  queue = queue
    .then(() => handle(data))
    .then((reply) => scope.postMessage(reply))
    .catch((error: unknown) => scope.postMessage({ problem: String(error) } satisfies FromFlac));
};

async function handle(message: ToFlac): Promise<FromFlac> {
  if (message.kind === "begin") {
    await begin(message);
  } else if (message.kind === "samples") {
    const { samples } = message;
    const count = samples.length / channelCount;
    check(scope.Flac.FLAC__stream_encoder_process_interleaved(encoder, samples, count));
  } else {
    check(scope.Flac.FLAC__stream_encoder_finish(encoder));
    return { file: new Blob(withDigest(), { type: "audio/flac" }) };
  }
  return {};
}

async function begin({ folder, rateHz, channels, bits, length }: ToFlac & { kind: "begin" }) {
  scope.FLAC_SCRIPT_LOCATION = folder;
  scope.importScripts(`${folder}${SCRIPT}`);
  const flac = scope.Flac;
  await new Promise<void>((resolve) => {
    if (flac.isReady()) {
      resolve();
    } else {
      flac.onready = () => resolve();
    }
  });
  encoder = flac.create_libflac_encoder(rateHz, channels, bits, LEVEL, length);
  channelCount = channels;
  check(encoder);
  const status = flac.init_encoder_stream(
    encoder,
    (bytes) => parts.push(bytes.slice()),
    (facts) => (md5 = facts?.md5sum ?? ""),
  );
  check(status === 0);
}

/** The file, with the digest of its samples in the first block of metadata. */
function withDigest(): Bytes[] {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  const digest = md5.match(/../g)?.map((byte) => parseInt(byte, 16)) ?? [];
  if (digest.length === 16) {
    whole.set(digest, MD5_AT);
  }
  return [whole];
}

function check(success: number | boolean): void {
  if (!success) {
    throw new Error("libFLAC could not write the file");
  }
}
