/** The ways to open a recording: drop a file, choose one, or record the microphone. */

import { Recording } from "../audio/microphone";
import { element } from "./elements";
import { announce, clearProblem, showProblem } from "./notices";
import { clock } from "../words";

const card = element("opening", HTMLElement);
const invitation = element("invitation", HTMLElement);
const opened = element("opened", HTMLElement);
const formats = element("formats", HTMLElement);
const input = element("file", HTMLInputElement);
const choose = element("choose", HTMLButtonElement);
const record = element("record", HTMLButtonElement);

const RECORD = "Use the microphone";

/** Listen for recordings. */
export function listenForFiles(open: (file: Blob, name: string) => void): void {
  choose.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    input.value = ""; // so that the same file can be chosen again
    if (file) {
      open(file, file.name);
    }
  });
  listenForDrops(open);
  listenToMicrophone(open);
}

/** Make the card small, with the name of what is open; without a name it is large again. */
export function showOpened(name?: string, seconds?: number): void {
  card.dataset.small = String(name !== undefined);
  invitation.hidden = formats.hidden = name !== undefined;
  opened.hidden = name === undefined;
  opened.textContent = name ?? "";
  if (seconds !== undefined) {
    const length = document.createElement("span");
    length.className = "quiet";
    length.textContent = ` ${clock(seconds)}`;
    opened.append(length);
  }
  choose.textContent = name === undefined ? "Choose a file" : "Another file";
  choose.classList.toggle("primary", name === undefined);
  record.textContent = name === undefined ? RECORD : "Microphone";
}

function listenForDrops(open: (file: Blob, name: string) => void): void {
  const over = (is: boolean): void => void (document.body.dataset.over = String(is));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    over(true);
  });
  document.addEventListener("dragleave", ({ relatedTarget }) => {
    if (relatedTarget === null) {
      over(false);
    }
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    const [file] = event.dataTransfer?.files ?? [];
    if (file) {
      open(file, file.name);
    }
  });
}

function listenToMicrophone(open: (file: Blob, name: string) => void): void {
  let recording: Recording | undefined;
  let ticking = 0;
  const end = async (): Promise<void> => {
    clearInterval(ticking);
    const taken = recording;
    recording = undefined;
    record.textContent = RECORD;
    record.dataset.recording = "false";
    if (taken) {
      open(await taken.stop(), "Microphone.webm");
    }
  };
  const begin = async (): Promise<void> => {
    recording = await Recording.start();
    const started = performance.now();
    const tick = (): void => {
      record.textContent = `Stop, ${clock((performance.now() - started) / 1000)}`;
    };
    tick();
    ticking = window.setInterval(tick, 500);
    record.dataset.recording = "true";
    announce("Recording");
  };
  record.addEventListener("click", () => {
    clearProblem();
    (recording ? end() : begin()).catch(showProblem);
  });
}

