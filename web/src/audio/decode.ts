/** Files to samples at the rate of the model, with the decoders of the browser. */

import { UserError } from "../errors";
import type { ModelFacts } from "../model/facts";
import { clock } from "../words";

const BYTES_PER_SAMPLE = 4;
const USUAL_MEMORY_GB = 4; // where the browser does not tell
const MOST_MEMORY_GB = 8; // some browsers tell more; one channel then takes 1 GB
const SMALL_BYTES = 64e6; // a file up to this is read while its length is looked up

/**
 * Decode a recording; the browser resamples it.
 *
 * @throws UserError for a file that is too long for this device, or that holds no sound that the
 *   browser reads.
 */
export async function decode(file: Blob, name: string, facts: ModelFacts): Promise<AudioBuffer> {
  const rateHz = facts.sample_rate_hz;
  const most = mostSeconds(facts);
  const early = file.size <= SMALL_BYTES ? file.arrayBuffer() : undefined;
  early?.catch(() => undefined); // told below
  refuseTooLong(await secondsOf(file), most, name);
  const context = new OfflineAudioContext({ numberOfChannels: 1, length: 1, sampleRate: rateHz });
  let audio: AudioBuffer;
  try {
    audio = await context.decodeAudioData(await (early ?? file.arrayBuffer()));
  } catch {
    throw new UserError(
      `${name} holds no sound that this browser can read. Choose a WAV, FLAC, MP3, M4A, Ogg or` +
        " Opus file.",
    );
  }
  refuseTooLong(audio.duration, most, name);
  return audio;
}

/** True when no sample differs from zero. */
export function isSilent(audio: AudioBuffer): boolean {
  return Array.from({ length: audio.numberOfChannels }).every((_, channel) =>
    audio.getChannelData(channel).every((sample) => sample === 0),
  );
}

/** The longest stereo recording that half of the memory holds with its sources. */
function mostSeconds({ sample_rate_hz: rateHz, sources }: ModelFacts): number {
  const { deviceMemory } = navigator as Navigator & { deviceMemory?: number };
  const memoryGb = Math.min(deviceMemory ?? USUAL_MEMORY_GB, MOST_MEMORY_GB);
  const bytes = memoryGb * 1e9 * 0.5;
  const copies = 1 + sources.length; // the residual is computed where it is needed
  return bytes / (rateHz * 2 * BYTES_PER_SAMPLE * copies);
}

function refuseTooLong(seconds: number | undefined, most: number, name: string): void {
  if (seconds !== undefined && seconds > most) {
    throw new UserError(
      `${name} is ${clock(seconds)} long; the memory of this device is enough for` +
        ` ${clock(most)}. Cut it, or use \`tfsepgan-separate\`, which takes any length.`,
    );
  }
}

/** The duration by the file's own header; undefined where it has none or is of no known kind. */
function secondsOf(file: Blob): Promise<number | undefined> {
  const url = URL.createObjectURL(file);
  const element = document.createElement("audio");
  return new Promise<number | undefined>((resolve) => {
    element.preload = "metadata";
    element.onloadedmetadata = (): void =>
      resolve(Number.isFinite(element.duration) ? element.duration : undefined);
    element.onerror = (): void => resolve(undefined);
    element.src = url;
  }).finally(() => URL.revokeObjectURL(url));
}
