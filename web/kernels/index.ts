/**
 * The arithmetic of the filterbank masker, in AssemblyScript: `web/src/network` puts it together.
 *
 * Arguments with numbers of bytes or without a name for their type are addresses or counts. Arrays
 * are rows of float32 one after the other where nothing else is said.
 */

export { begin, normalise, round } from "./rows";
export { product } from "./product";
export { analyse, synthesise } from "./frames";
export { loudness, meanPowers, sigmoid } from "./levels";
