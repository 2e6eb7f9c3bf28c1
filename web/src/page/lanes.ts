/** The lanes of the player: one for the mixture and one for each stem. */

import { RESIDUAL, type Song, stemNames } from "../audio/song";
import { element, inside } from "./elements";
import { capital, listed } from "../words";

const MIXTURE = "mixture";

export interface Lane {
  /** A stem, or "mixture". */
  name: string;
  root: HTMLElement;
  canvas: HTMLCanvasElement;
  solo: HTMLButtonElement;
  mute: HTMLButtonElement;
  download: HTMLButtonElement;
}

/** Replace the lanes by those of a song: the mixture, the sources, the residual. */
export function showLanes(song: Song): Lane[] {
  const parent = element("lanes", HTMLElement);
  parent.querySelectorAll(".lane").forEach((lane) => lane.remove());
  const sources = song.sources.map(({ name }) => name);
  return [MIXTURE, ...stemNames(song)].map((name, index) => {
    const lane = newLane(name, titleOf(name, sources));
    lane.root.dataset.kind = name === MIXTURE || name === RESIDUAL ? name : `source${index}`;
    parent.append(lane.root);
    return lane;
  });
}

/** Let the stems be heard and saved. */
export function enableLanes(lanes: Lane[]): void {
  lanes.forEach(({ solo, mute, download }) => {
    [solo, mute, download].forEach((button) => (button.disabled = false));
  });
}

function newLane(name: string, title: string): Lane {
  const template = element("lane", HTMLTemplateElement);
  const root = inside(template.content.cloneNode(true) as DocumentFragment, ".lane", HTMLElement);
  inside(root, "h2", HTMLElement).textContent = title;
  const canvas = inside(root, "canvas", HTMLCanvasElement);
  canvas.setAttribute("aria-label", `Waveform and spectrogram: ${title}`);
  const button = (kind: string): HTMLButtonElement => {
    const found = inside(root, `.${kind}`, HTMLButtonElement);
    found.setAttribute("aria-label", `${found.textContent} ${title}`);
    return found;
  };
  const lane = {
    ...{ name, root, canvas },
    ...{ solo: button("solo"), mute: button("mute"), download: button("download") },
  };
  if (name === MIXTURE) {
    lane.solo.hidden = lane.mute.hidden = lane.download.hidden = true;
  }
  return lane;
}

function titleOf(name: string, sources: string[]): string {
  return name === RESIDUAL ? `Without ${listed(sources)}` : capital(name);
}
