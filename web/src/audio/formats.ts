/** The kinds of files that a stem can be saved as. */

import { flacOf } from "./flac";
import { type Samples, type Song, stretchOf } from "./song";
import { wavOf } from "./wav";

/** Container, and bits of a sample: whole numbers of 16 or 24, or floating point of 32. */
export const FORMATS = ["wav16", "wav24", "wav32", "flac16", "flac24"] as const;
export type Format = (typeof FORMATS)[number];

const PIECE = 1 << 17; // samples

/** Whether a format stores floating point, which nothing is beyond. */
export function isFloat(format: Format): boolean {
  return format === "wav32";
}

/** What the names of its files end with. */
export function endOf(format: Format): string {
  return format.slice(0, -2);
}

/**
 * Write a stem, or the mixture.
 *
 * @param stem one of the stems; any other name is the mixture.
 * @returns the file. Samples beyond full scale are kept in floating point and clipped otherwise.
 */
export function fileOf(
  song: Song,
  stem: string,
  format: Format,
  signal: AbortSignal,
): Promise<Blob> {
  const { length, numberOfChannels: channels, sampleRate: rateHz } = song.mixture;
  const bits = Number(format.slice(-2));
  const sound = { length, channels, rateHz, bits, pieces: piecesOf(song, stem) };
  return endOf(format) === "flac" ? flacOf(sound, signal) : Promise.resolve(wavOf(sound));
}

/** The largest sample of a stem; above 1 the formats of whole numbers clip. */
export function peakOf(song: Song, stem: string): number {
  let peak = 0;
  for (const channels of piecesOf(song, stem)) {
    for (const samples of channels) {
      peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), peak);
    }
  }
  return peak;
}

/** The channels of a stem, piece by piece. */
function* piecesOf(song: Song, stem: string): Generator<Samples[]> {
  const { length, numberOfChannels } = song.mixture;
  const channels = Array.from({ length: numberOfChannels }, (_, channel) => channel);
  for (let first = 0; first < length; first += PIECE) {
    const last = Math.min(first + PIECE, length);
    yield channels.map((channel) => stretchOf(song, stem, channel, first, last));
  }
}
