/** Keeps the files of the page in the browser, so that it also opens without a network. */

const SERVICE_WORKER = "service-worker.js";

/**
 * Register the service worker.
 *
 * @param unused start of the names of files that this browser does not need.
 * @returns true once the page works offline; false where the browser does not allow it, such as on
 *   an address without HTTPS.
 */
export async function keepOffline(base: string, unused?: string): Promise<boolean> {
  if (!("serviceWorker" in navigator)) {
    return false;
  }
  const url = new URL(SERVICE_WORKER, base);
  if (unused !== undefined) {
    url.searchParams.set("without", unused);
  }
  try {
    await navigator.serviceWorker.register(url);
    await navigator.serviceWorker.ready;
    return true;
  } catch {
    return false;
  }
}
