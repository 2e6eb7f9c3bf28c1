/** The card that shows work: what is done, how long it takes, and a way out. */

import { element } from "./elements";
import { wait } from "../words";

const card = element("work", HTMLElement);
const text = element("work-text", HTMLElement);
const bar = element("work-bar", HTMLProgressElement);
const cancel = element("cancel", HTMLButtonElement);

const TRUSTED_SECONDS = 0.7; // before that, the speed is a guess

export class WorkCard {
  private started = 0;

  constructor(onCancel: () => void) {
    cancel.addEventListener("click", onCancel);
    document.addEventListener("keydown", ({ key }) => {
      if (key === "Escape" && !card.hidden) {
        onCancel();
      }
    });
  }

  /** Show work of unknown length. */
  begin(what: string): void {
    text.textContent = what;
    bar.removeAttribute("value");
    card.hidden = false;
    this.started = performance.now();
  }

  /** Show the share that is done, 0 to 1, and the time that is left. */
  update(what: string, done: number): void {
    bar.value = done;
    const seconds = (performance.now() - this.started) / 1000;
    const left = (seconds * (1 - done)) / done;
    const known = seconds > TRUSTED_SECONDS && Number.isFinite(left);
    const share = `${Math.floor(100 * done)} %`;
    text.textContent = known ? `${what}: ${share}, ${wait(left)} left` : `${what}: ${share}`;
  }

  end(): void {
    card.hidden = true;
  }
}
