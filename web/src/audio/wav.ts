/** WAV files of stems, written piece by piece. */

import { type Samples, type Song, stretchOf } from "./song";

export const SAMPLE_FORMATS = ["16", "24", "32"] as const;
/** Bits of a sample: whole numbers of 16 or 24, or floating point of 32. */
export type SampleFormat = (typeof SAMPLE_FORMATS)[number];

const HEADER_BYTES = 44;
const PIECE = 1 << 18; // samples
const FLOAT = 3;
const PCM = 1;

/**
 * Write a stem, or the mixture.
 *
 * @param stem one of the stems; any other name is the mixture.
 * @returns the file. Samples beyond full scale are kept at 32 bits and clipped at 16 and 24.
 */
export function wavOf(song: Song, stem: string, format: SampleFormat): Blob {
  const { length, numberOfChannels } = song.mixture;
  const pieces: Blob[] = [new Blob([header(song.mixture, format)])];
  const channels = Array.from({ length: numberOfChannels }, (_, channel) => channel);
  for (let first = 0; first < length; first += PIECE) {
    const last = Math.min(first + PIECE, length);
    const samples = channels.map((channel) => stretchOf(song, stem, channel, first, last));
    pieces.push(new Blob([encoded(samples, format)]));
  }
  return new Blob(pieces, { type: "audio/wav" });
}

/** The largest sample of a stem; above 1 the formats of whole numbers clip. */
export function peakOf(song: Song, stem: string): number {
  let peak = 0;
  for (let channel = 0; channel < song.mixture.numberOfChannels; channel += 1) {
    for (let first = 0; first < song.mixture.length; first += PIECE) {
      const last = Math.min(first + PIECE, song.mixture.length);
      for (const sample of stretchOf(song, stem, channel, first, last)) {
        peak = Math.max(peak, Math.abs(sample));
      }
    }
  }
  return peak;
}

function header(audio: AudioBuffer, format: SampleFormat): ArrayBuffer {
  const { numberOfChannels: channels, sampleRate, length } = audio;
  const bytes = Number(format) / 8;
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const text = (offset: number, word: string): void =>
    [...word].forEach((letter, index) => view.setUint8(offset + index, letter.charCodeAt(0)));
  const size = length * channels * bytes;
  text(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + size, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, format === "32" ? FLOAT : PCM, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels * bytes, true);
  view.setUint16(32, channels * bytes, true);
  view.setUint16(34, Number(format), true);
  text(36, "data");
  view.setUint32(40, size, true);
  return view.buffer;
}

/** Interleaved samples, little-endian. */
function encoded(samples: Samples[], format: SampleFormat): ArrayBuffer {
  const bytes = Number(format) / 8;
  const length = samples[0]?.length ?? 0;
  const view = new DataView(new ArrayBuffer(length * samples.length * bytes));
  const full = 2 ** (Number(format) - 1);
  let offset = 0;
  for (let index = 0; index < length; index += 1) {
    for (const channel of samples) {
      const sample = channel[index] ?? 0;
      if (format === "32") {
        view.setFloat32(offset, sample, true);
      } else {
        const whole = Math.max(-full, Math.min(full - 1, Math.round(sample * full)));
        view.setInt16(offset + bytes - 2, whole >> (Number(format) - 16), true);
        if (format === "24") {
          view.setUint8(offset, whole & 0xff);
        }
      }
      offset += bytes;
    }
  }
  return view.buffer;
}
