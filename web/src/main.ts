/** Starts the page: the model loads at once, and recordings can be opened before it is there. */

import { keepOffline } from "./offline";
import { loadEngine } from "./model/engine";
import { type ModelFacts, readFacts } from "./model/facts";
import { element } from "./page/elements";
import { showModelState, showProblem } from "./page/notices";
import { listenForFiles } from "./page/opening";
import { Session } from "./page/session";
import { listed } from "./words";
import { Separator } from "./separation/separator";

const base = document.baseURI;

function describe(facts: ModelFacts): void {
  const title = `Take the ${listed(facts.sources)} out of a recording`;
  element("title", HTMLElement).textContent = title;
  document.title = title;
  const licence = facts.licence ? `, ${facts.licence}` : "";
  element("about", HTMLElement).textContent =
    `Model ${facts.name}${licence}.` +
    (facts.network ? "" : " Runs with LiteRT.js by Google, Apache-2.0.");
}

const facts = readFacts(base);
const engine = loadEngine(base, facts);
const separator = new Separator(engine);
const session = new Session(facts, separator);

async function watchLoading(): Promise<void> {
  const { runtime } = await engine;
  await separator.ready();
  showModelState("ready", "ready");
  await session.idle(); // to keep files would slow the separation down
  const unused = runtime.kind === "litert" ? runtime.unused : undefined;
  if (await keepOffline(base, unused)) {
    showModelState("ready, also offline", "ready");
  }
}

facts.then(describe, () => undefined); // the engine fails with it, and is reported
watchLoading().catch((error: unknown) => {
  showModelState("not available", "failed");
  showProblem(error);
});
listenForFiles((file, name) => void session.open(file, name));
