/** Starts the page: the model loads at once, and recordings can be opened before it is there. */

import { keepOffline } from "./offline";
import { type Engine, loadEngine } from "./model/engine";
import { element } from "./page/elements";
import { showModelState, showProblem } from "./page/notices";
import { listenForFiles } from "./page/opening";
import { type Loaded, Session } from "./page/session";
import { listed } from "./words";
import { Separator } from "./separation/separator";

const base = document.baseURI;

function describe({ facts }: Engine): void {
  const title = `Take the ${listed(facts.sources)} out of a recording`;
  element("title", HTMLElement).textContent = title;
  document.title = title;
  const licence = facts.licence ? `, ${facts.licence}` : "";
  element("about", HTMLElement).textContent =
    `Model ${facts.name}${licence}. Runs with LiteRT.js by Google, Apache-2.0.`;
}

async function load(): Promise<Loaded> {
  const engine = await loadEngine(base);
  describe(engine);
  const separator = new Separator(engine);
  await separator.ready();
  showModelState("ready", "ready");
  void keepOffline(base, engine.unused).then((kept) => {
    if (kept) {
      showModelState("ready, also offline", "ready");
    }
  });
  return { facts: engine.facts, separator };
}

const loaded = load();
loaded.catch((error: unknown) => {
  showModelState("not available", "failed");
  showProblem(error);
});
const session = new Session(loaded);
listenForFiles((file, name) => void session.open(file, name));
