/** What the page tells: problems in sight, and news for screen readers. */

import { messageOf } from "../errors";
import { element } from "./elements";

const problem = element("problem", HTMLElement);
const status = element("status", HTMLElement);
const state = element("model-state", HTMLElement);

/** Show one problem until the next recording. */
export function showProblem(error: unknown): void {
  problem.textContent = messageOf(error);
  problem.hidden = false;
}

export function clearProblem(): void {
  problem.hidden = true;
  problem.textContent = "";
}

/** Say something to screen readers. */
export function announce(text: string): void {
  status.textContent = text;
}

/** The state of the model, in a word or two. */
export function showModelState(text: string, kind: "busy" | "ready" | "failed"): void {
  state.textContent = text;
  state.dataset.kind = kind;
}
