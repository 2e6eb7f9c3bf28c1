/** WAV files, written piece by piece. */

import type { Samples } from "./song";
import { type Sound, wholeNumber } from "./sound";

const HEADER_BYTES = 44;
const FLOAT = 3;
const PCM = 1;

/** Write a sound: whole numbers of 16 or 24 bits, or floating point of 32. */
export function wavOf(sound: Sound): Blob {
  const parts: Blob[] = [new Blob([header(sound)])];
  for (const channels of sound.pieces) {
    parts.push(new Blob([encoded(channels, sound.bits)]));
  }
  return new Blob(parts, { type: "audio/wav" });
}

function header({ channels, rateHz, length, bits }: Sound): ArrayBuffer {
  const bytes = bits / 8;
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const text = (offset: number, word: string): void =>
    [...word].forEach((letter, index) => view.setUint8(offset + index, letter.charCodeAt(0)));
  const size = length * channels * bytes;
  text(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + size, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, bits === 32 ? FLOAT : PCM, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, rateHz, true);
  view.setUint32(28, rateHz * channels * bytes, true);
  view.setUint16(32, channels * bytes, true);
  view.setUint16(34, bits, true);
  text(36, "data");
  view.setUint32(40, size, true);
  return view.buffer;
}

/** Interleaved samples, little-endian. */
function encoded(samples: Samples[], bits: number): ArrayBuffer {
  const bytes = bits / 8;
  const length = samples[0]?.length ?? 0;
  const view = new DataView(new ArrayBuffer(length * samples.length * bytes));
  let offset = 0;
  for (let index = 0; index < length; index += 1) {
    for (const channel of samples) {
      const sample = channel[index] ?? 0;
      if (bits === 32) {
        view.setFloat32(offset, sample, true);
      } else {
        const whole = wholeNumber(sample, bits);
        view.setInt16(offset + bytes - 2, whole >> (bits - 16), true);
        if (bits === 24) {
          view.setUint8(offset, whole & 0xff);
        }
      }
      offset += bytes;
    }
  }
  return view.buffer;
}
