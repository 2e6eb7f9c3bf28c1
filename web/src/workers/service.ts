/**
 * The service worker: keeps every file of the page, each with the digest that `tfsepgan web` lists.
 *
 * Files of one version are kept together. A new version is loaded whole, and replaces the old one
 * when no page uses that any more.
 */

/** Digests by path, and the version of the whole; `tfsepgan web` writes both in here. */
declare const __FILES__: Record<string, string>;
declare const __VERSION__: string;

const scope = self as unknown as ServiceWorkerGlobalScope;
const files = __FILES__;
const base = new URL("./", scope.location.href);
const prefix = `tfsepgan ${base.pathname} `;
const kept = prefix + __VERSION__;
const without = new URL(scope.location.href).searchParams.get("without") ?? " ";

scope.addEventListener("install", (event) => event.waitUntil(keepAll()));
scope.addEventListener("activate", (event) => event.waitUntil(dropOthers()));
scope.addEventListener("fetch", (event) => {
  const path = pathOf(event.request);
  if (path !== undefined) {
    event.respondWith(answer(path, event.request));
  }
});

async function keepAll(): Promise<void> {
  const cache = await caches.open(kept);
  const paths = Object.keys(files).filter((path) => !path.startsWith(without));
  await Promise.all(
    paths.map(async (path) => {
      const url = new URL(path, base);
      const reply = await fetch(url, { integrity: files[path] ?? "", cache: "no-cache" });
      if (!reply.ok) {
        throw new Error(`${path}: ${reply.status}`);
      }
      await cache.put(url, reply);
    }),
  );
}

async function dropOthers(): Promise<void> {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(prefix) && name !== kept);
  await Promise.all(old.map((name) => caches.delete(name)));
  await scope.clients.claim();
}

/** The listed file that a request asks for, if any. */
function pathOf({ method, url }: Request): string | undefined {
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== base.origin || !pathname.startsWith(base.pathname)) {
    return undefined;
  }
  const path = decodeURIComponent(pathname.slice(base.pathname.length)) || "index.html";
  return path in files ? path : undefined;
}

async function answer(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(kept);
  return (await cache.match(new URL(path, base))) ?? fetch(request);
}
