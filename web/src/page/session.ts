/** One recording after the other: read, separate, play. A new one frees the one before. */

import { decode, isSilent } from "../audio/decode";
import { newSong } from "../audio/song";
import { UserError } from "../errors";
import type { ModelFacts } from "../model/facts";
import type { Separator } from "../separation/separator";
import { announce, clearProblem, showProblem } from "./notices";
import { showOpened } from "./opening";
import { PlayerCard } from "./player_card";
import { WorkCard } from "./progress";
import { listed } from "../words";

// the stems come before the pictures: milliseconds between two looks at what can be drawn, and
// until the browser has shown the player
const LOOK_MILLISECONDS = 1000;
const SHOW_MILLISECONDS = 50;

export class Session {
  private readonly work = new WorkCard(() => this.cancel());
  private running: AbortController | undefined;
  private player: PlayerCard | undefined;
  private latest: Promise<void> = Promise.resolve();

  /** @param facts settles when the description of the model is there. */
  constructor(
    private readonly facts: Promise<ModelFacts>,
    private readonly separator: Separator,
  ) {}

  /** Read a recording, separate it, and show the player. Never rejects. */
  open(file: Blob, name: string): Promise<void> {
    this.latest = this.begin(file, name);
    return this.latest;
  }

  /** Resolves when no recording is under way. */
  async idle(): Promise<void> {
    for (let seen; seen !== this.latest; ) {
      seen = this.latest;
      await seen;
    }
  }

  private async begin(file: Blob, name: string): Promise<void> {
    this.cancel();
    clearProblem();
    const running = new AbortController();
    this.running = running;
    try {
      await this.process(file, name, running.signal);
    } catch (error) {
      if (!running.signal.aborted) {
        this.close();
        showProblem(error);
      }
    } finally {
      if (this.running === running) {
        this.running = undefined;
        this.work.end();
      }
    }
  }

  /** Stop the work that is under way, if any. */
  cancel(): void {
    if (this.running) {
      this.running.abort();
      this.running = undefined;
      this.work.end();
      this.close();
      announce("Cancelled");
    }
  }

  private async process(file: Blob, name: string, signal: AbortSignal): Promise<void> {
    this.close();
    this.work.begin("Reading the recording");
    const facts = await this.facts;
    const audio = await decode(file, name, facts);
    signal.throwIfAborted();
    if (isSilent(audio)) {
      throw new UserError(`${name} is silent: every sample is zero. Choose another recording.`);
    }
    const song = newSong(name, audio, facts.sources);
    showOpened(name, audio.duration);
    const player = new PlayerCard(song);
    this.player = player;
    const what = `Taking the ${listed(facts.sources)} out`;
    this.work.begin(what);
    announce(what);
    let looked = performance.now();
    await this.separator.separate(
      song,
      ({ share, isKnown }) => {
        this.work.update(what, share);
        if (performance.now() - looked > LOOK_MILLISECONDS) {
          looked = performance.now();
          player.album.update(isKnown);
        }
      },
      signal,
    );
    player.enable();
    announce("Done. Play, or download the stems.");
    setTimeout(() => this.player === player && player.album.update(() => true), SHOW_MILLISECONDS);
  }

  /** Free the recording and its stems. */
  private close(): void {
    this.player?.close();
    this.player = undefined;
    showOpened();
  }
}
