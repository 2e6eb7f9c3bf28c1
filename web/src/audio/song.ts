/**
 * A recording and its sources, in the memory of the browser.
 *
 * The residual is not stored: it is the mixture minus the sources, where it is played, drawn or
 * written. So piano and residual always sum to the mixture, and a song takes a third less memory.
 */

export interface Song {
  name: string;
  mixture: AudioBuffer;
  sources: { name: string; audio: AudioBuffer }[];
}

export const RESIDUAL = "residual";
export type Samples = Float32Array<ArrayBuffer>;

/** A song whose sources are still silent. */
export function newSong(name: string, mixture: AudioBuffer, sources: string[]): Song {
  const { numberOfChannels, length, sampleRate } = mixture;
  const audio = () => new AudioBuffer({ numberOfChannels, length, sampleRate });
  return { name, mixture, sources: sources.map((source) => ({ name: source, audio: audio() })) };
}

/** The stems of a song: its sources, and what is left. */
export function stemNames(song: Song): string[] {
  return [...song.sources.map(({ name }) => name), RESIDUAL];
}

/** A stretch of one channel, copied. */
export function stretch(audio: AudioBuffer, channel: number, first: number, last: number): Samples {
  return audio.getChannelData(channel).slice(first, last);
}

/** A stretch of one channel of a stem, or of the mixture. */
export function stretchOf(
  song: Song,
  stem: string,
  channel: number,
  first: number,
  last: number,
): Samples {
  const source = song.sources.find(({ name }) => name === stem);
  const samples = stretch(source?.audio ?? song.mixture, channel, first, last);
  if (stem === RESIDUAL) {
    for (const { audio } of song.sources) {
      const part = stretch(audio, channel, first, last);
      part.forEach((value, index) => (samples[index]! -= value));
    }
  }
  return samples;
}
