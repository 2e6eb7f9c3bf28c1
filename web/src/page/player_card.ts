/** The player of one song: buttons, sliders, lanes and keys around the sound. */

import { UserError } from "../errors";
import { endOf, fileOf, FORMATS, isFloat, peakOf } from "../audio/formats";
import { Player } from "../audio/player";
import { type Song, stemNames } from "../audio/song";
import { Album } from "../pictures/album";
import { LanePicture } from "../pictures/lane_picture";
import { gridOf } from "../pictures/messages";
import { element } from "./elements";
import { enableLanes, type Lane, showLanes } from "./lanes";
import { announce, clearProblem, showProblem } from "./notices";
import { Timeline } from "./timeline";
import { capital, listed, stemOf } from "../words";

const KEPT_MILLISECONDS = 60_000; // a file, so that the browser can save it

const card = element("player", HTMLElement);
const transport = element("transport", HTMLElement);
const playButton = element("play", HTMLButtonElement);
const balance = element("balance", HTMLInputElement);
const volume = element("volume", HTMLInputElement);
const format = element("format", HTMLSelectElement);

export class PlayerCard {
  readonly album: Album;
  private readonly player: Player;
  private readonly lanes: Lane[];
  private readonly timeline: Timeline;
  private readonly solo = new Set<string>();
  private readonly muted = new Set<string>();
  private readonly closing = new AbortController();
  private readonly resizing = new ResizeObserver(() => this.album.redraw());
  private enabled = false;

  constructor(private readonly song: Song) {
    transport.hidden = true;
    card.hidden = false;
    this.lanes = showLanes(song);
    const grid = gridOf(song.mixture.length, song.mixture.sampleRate);
    const [mixture, ...stems] = this.lanes.map(({ canvas }) => new LanePicture(canvas, grid));
    this.album = new Album(song, mixture!, stems);
    this.player = new Player(song, () => this.showPlaying());
    this.timeline = new Timeline((seconds) => this.seek(seconds), this.closing.signal);
    this.timeline.setLength(song.mixture.duration);
    this.nameBalance();
    this.listen();
  }

  /** The sources are complete: play, save. */
  enable(): void {
    this.enabled = true;
    transport.hidden = false;
    enableLanes(this.lanes);
    [playButton, balance, volume].forEach((control) => (control.disabled = false));
    playButton.focus({ preventScroll: true });
  }

  /** Stop, hide and free everything. */
  close(): void {
    this.closing.abort();
    this.resizing.disconnect();
    this.album.close();
    this.player.close();
    [playButton, balance, volume].forEach((control) => (control.disabled = true));
    balance.value = "0";
    card.dataset.playing = "false";
    card.hidden = true;
  }

  private listen(): void {
    const { signal } = this.closing;
    playButton.addEventListener("click", () => void this.toggle(), { signal });
    balance.addEventListener("input", () => this.applyMix(), { signal });
    balance.addEventListener("dblclick", () => this.centre(), { signal });
    volume.addEventListener("input", () => this.applyVolume(), { signal });
    document.addEventListener("keydown", (event) => this.handleKey(event), { signal });
    this.resizing.observe(card);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.album.redraw(), { signal });
    for (const lane of this.lanes) {
      lane.solo.addEventListener("click", () => this.flip(this.solo, lane.name), { signal });
      lane.mute.addEventListener("click", () => this.flip(this.muted, lane.name), { signal });
      lane.download.addEventListener("click", () => void this.save(lane), { signal });
    }
    this.applyVolume();
  }

  private async toggle(): Promise<void> {
    if (this.player.playing) {
      this.player.pause();
    } else {
      await this.player.play();
      this.follow();
    }
    this.showPlaying();
  }

  private follow(): void {
    if (this.player.playing) {
      this.timeline.show(this.player.position);
      requestAnimationFrame(() => this.follow());
    }
  }

  private seek(seconds: number): void {
    if (this.enabled) {
      this.player.seek(seconds);
      this.timeline.show(this.player.position);
    }
  }

  private showPlaying(): void {
    card.dataset.playing = String(this.player.playing);
    playButton.setAttribute("aria-label", this.player.playing ? "Pause" : "Play");
    this.timeline.show(this.player.position);
  }

  private flip(set: Set<string>, name: string): void {
    if (!set.delete(name)) {
      set.add(name);
    }
    this.applyMix();
  }

  private centre(): void {
    balance.value = "0";
    this.applyMix();
  }

  private applyMix(): void {
    const { solo, muted } = this;
    this.player.setMix({ solo, muted, balance: balance.valueAsNumber });
    for (const lane of this.lanes) {
      lane.solo.setAttribute("aria-pressed", String(solo.has(lane.name)));
      lane.mute.setAttribute("aria-pressed", String(muted.has(lane.name)));
    }
  }

  private applyVolume(): void {
    this.player.setVolume(volume.valueAsNumber ** 2); // even steps to the ear
    volume.style.setProperty("--filled", `${volume.valueAsNumber * 100}%`);
  }

  private nameBalance(): void {
    const sources = listed(this.song.sources.map(({ name }) => name));
    element("balance-left", HTMLElement).textContent = capital(sources);
    element("balance-right", HTMLElement).textContent = `Without ${sources}`;
    balance.setAttribute("aria-label", `Balance: left ${sources}, right without ${sources}`);
  }

  private handleKey(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    const own = target.matches("input, select, summary") || event.ctrlKey || event.metaKey;
    if (!this.enabled || own || event.altKey) {
      return;
    }
    const stem = stemNames(this.song)[Number(event.code.replace("Digit", "")) - 1];
    if (event.key === " " && !(target instanceof HTMLButtonElement && target !== playButton)) {
      void this.toggle();
    } else if (stem) {
      this.flip(event.shiftKey ? this.muted : this.solo, stem);
    } else if (!this.timeline.handleKey(event.key)) {
      return;
    }
    event.preventDefault();
  }

  /** Offer a stem as a file. */
  private async save({ name, download }: Lane): Promise<void> {
    clearProblem();
    const { signal } = this.closing;
    const chosen = FORMATS.find((one) => one === format.value) ?? FORMATS[0];
    if (!isFloat(chosen) && peakOf(this.song, name) > 1) {
      showProblem(
        new UserError(
          `The loudest moments of the ${name} are beyond what ${chosen.slice(-2)} bits hold, and` +
            " are clipped in the file. Download it as 32 bit float to keep them.",
        ),
      );
    }
    download.disabled = true;
    try {
      const file = await fileOf(this.song, name, chosen, signal);
      this.offer(file, `${stemOf(this.song.name)} - ${name}.${endOf(chosen)}`);
      announce(`${capital(name)} saved`);
    } catch (error) {
      if (!signal.aborted) {
        showProblem(error);
      }
    } finally {
      download.disabled = false;
    }
  }

  private offer(file: Blob, name: string): void {
    this.closing.signal.throwIfAborted();
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MILLISECONDS);
  }
}
