/**
 * Plays the stems of a song in step.
 *
 * The residual is the mixture minus the sources. So the mixture is played with the gain of the
 * residual, and each source with its own gain minus that one.
 */

import { gainOf, type MixSettings } from "./mix";
import { RESIDUAL, type Song } from "./song";

const LEAD_SECONDS = 0.03; // all start at one time, which must not have passed
const GLIDE_SECONDS = 0.015; // gains glide, so that nothing clicks

interface Voice {
  stem: string;
  node: AudioBufferSourceNode;
  gain: GainNode;
}

export class Player {
  private context: AudioContext | undefined;
  private master: GainNode | undefined;
  private voices: Voice[] = [];
  private startedAt = 0;
  private offset = 0;
  private volume = 1;
  private mix: MixSettings = { solo: new Set(), muted: new Set(), balance: 0 };

  constructor(
    private readonly song: Song,
    private readonly onEnd: () => void,
  ) {}

  get playing(): boolean {
    return this.voices.length > 0;
  }

  get seconds(): number {
    return this.song.mixture.duration;
  }

  /** The position that is heard now. */
  get position(): number {
    if (!this.context || !this.playing) {
      return this.offset;
    }
    const heard = this.context.currentTime - this.startedAt;
    return Math.min(Math.max(this.offset, this.offset + heard), this.seconds);
  }

  async play(): Promise<void> {
    if (this.playing) {
      return;
    }
    if (this.offset >= this.seconds) {
      this.offset = 0;
    }
    const context = this.opened();
    await context.resume();
    this.begin(context);
  }

  pause(): void {
    this.offset = this.position;
    this.silence();
  }

  seek(seconds: number): void {
    const again = this.playing;
    this.silence();
    this.offset = Math.min(Math.max(seconds, 0), this.seconds);
    if (again && this.context && this.offset < this.seconds) {
      this.begin(this.context);
    } else if (again) {
      this.onEnd();
    }
  }

  setMix(mix: MixSettings): void {
    this.mix = mix;
    this.voices.forEach(({ stem, gain }) => this.glide(gain, this.gainFor(stem)));
  }

  setVolume(volume: number): void {
    this.volume = volume;
    if (this.master) {
      this.glide(this.master, volume);
    }
  }

  /** Free the sound card and the buffers. */
  close(): void {
    this.silence();
    void this.context?.close();
    this.context = undefined;
  }

  private opened(): AudioContext {
    if (!this.context) {
      this.context = new AudioContext({ sampleRate: this.song.mixture.sampleRate });
      this.master = new GainNode(this.context, { gain: this.volume });
      this.master.connect(this.context.destination);
    }
    return this.context;
  }

  private begin(context: AudioContext): void {
    const parts = [
      { stem: RESIDUAL, buffer: this.song.mixture },
      ...this.song.sources.map(({ name, audio }) => ({ stem: name, buffer: audio })),
    ];
    this.startedAt = context.currentTime + LEAD_SECONDS;
    this.voices = parts.map(({ stem, buffer }) => {
      const node = new AudioBufferSourceNode(context, { buffer });
      const gain = new GainNode(context, { gain: this.gainFor(stem) });
      node.connect(gain).connect(this.master ?? context.destination);
      node.start(this.startedAt, this.offset);
      return { stem, node, gain };
    });
    const [first] = this.voices;
    if (first) {
      first.node.onended = (): void => this.ended(first);
    }
  }

  private ended(voice: Voice): void {
    if (this.voices.includes(voice)) {
      this.silence();
      this.offset = this.seconds;
      this.onEnd();
    }
  }

  /** The gain of a buffer, see the head of this file. */
  private gainFor(stem: string): number {
    const residual = gainOf(RESIDUAL, this.mix);
    return stem === RESIDUAL ? residual : gainOf(stem, this.mix) - residual;
  }

  private glide({ gain }: GainNode, value: number): void {
    gain.setTargetAtTime(value, this.context?.currentTime ?? 0, GLIDE_SECONDS);
  }

  private silence(): void {
    const voices = this.voices;
    this.voices = [];
    for (const { node, gain } of voices) {
      node.onended = null;
      node.stop();
      node.disconnect();
      gain.disconnect();
    }
  }
}
