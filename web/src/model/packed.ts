/** Files that are stored with gzip, so that any plain file server sends few bytes. */

/**
 * Fetch a compressed file.
 *
 * @returns its content as a stream, decompressed as it arrives.
 * @throws Error when the server does not have the file.
 */
export async function fetchPacked(url: URL): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const reply = await fetch(url);
  if (!reply.ok || !reply.body) {
    throw new Error(`${url.pathname} could not be read (${reply.status}).`);
  }
  return reply.body.pipeThrough(new DecompressionStream("gzip"));
}

/** Read a stream to its end. */
export async function wholeOf(stream: ReadableStream): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
