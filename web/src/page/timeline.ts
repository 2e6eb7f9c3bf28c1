/** The position over all lanes: shown by a line, set by pointer or keys. */

import { element } from "./elements";
import { clock } from "../words";

const STEP_SECONDS = 5;

export class Timeline {
  private readonly track = element("timeline", HTMLElement);
  private readonly needle = element("needle", HTMLElement);
  private readonly now = element("now", HTMLElement);
  private readonly end = element("end", HTMLElement);
  private seconds = 0;
  private position = 0;

  /** @param signal ends the listening. */
  constructor(
    private readonly onSeek: (seconds: number) => void,
    signal: AbortSignal,
  ) {
    const begin = (event: PointerEvent): void => {
      this.track.setPointerCapture(event.pointerId);
      this.seekTo(event);
    };
    const move = (event: PointerEvent): void => {
      if (this.track.hasPointerCapture(event.pointerId)) {
        this.seekTo(event);
      }
    };
    this.track.addEventListener("pointerdown", begin, { signal });
    this.track.addEventListener("pointermove", move, { signal });
  }

  /** Begin with another song. */
  setLength(seconds: number): void {
    this.seconds = seconds;
    this.end.textContent = clock(seconds);
    this.track.setAttribute("aria-valuemax", seconds.toFixed(1));
    this.show(0);
  }

  show(position: number): void {
    this.position = position;
    const share = this.seconds > 0 ? position / this.seconds : 0;
    this.needle.style.left = `${100 * share}%`;
    const text = clock(position);
    if (this.now.textContent !== text) {
      this.now.textContent = text;
      this.track.setAttribute("aria-valuenow", position.toFixed(1));
      this.track.setAttribute("aria-valuetext", `${text} of ${clock(this.seconds)}`);
    }
  }

  /** Handle a key that moves the position; returns false for any other. */
  handleKey(key: string): boolean {
    const targets: Record<string, number> = {
      ArrowLeft: this.position - STEP_SECONDS,
      ArrowRight: this.position + STEP_SECONDS,
      Home: 0,
      End: this.seconds,
    };
    const target = targets[key];
    if (target === undefined) {
      return false;
    }
    this.onSeek(Math.min(Math.max(target, 0), this.seconds));
    return true;
  }

  private seekTo(event: PointerEvent): void {
    const { left, width } = this.track.getBoundingClientRect();
    const share = Math.min(Math.max((event.clientX - left) / width, 0), 1);
    this.onSeek(share * this.seconds);
  }
}
