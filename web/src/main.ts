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

async function watchLoading(): Promise<void> {
  describe(await facts);
  const { runtime } = await engine;
  await separator.ready();
  showModelState("ready", "ready");
  const unused = runtime.kind === "litert" ? runtime.unused : undefined;
  if (await keepOffline(base, unused)) {
    showModelState("ready, also offline", "ready");
  }
}

watchLoading().catch((error: unknown) => {
  showModelState("not available", "failed");
  showProblem(error);
});
const session = new Session(facts, separator);
listenForFiles((file, name) => void session.open(file, name));
