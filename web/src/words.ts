/** Numbers and names as a person reads them. */

/** Minutes and seconds, such as 3:07. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** A time to wait. */
export function wait(seconds: number): string {
  return seconds < 90
    ? `${Math.max(1, Math.round(seconds))} s`
    : `${Math.round(seconds / 60)} minutes`;
}

/** With a capital first letter. */
export function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

/** Names in a sentence: "piano", "piano and voice", "piano, bass and voice". */
export function listed(names: string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} and ${last}`;
}

/** A file name without its suffix. */
export function stemOf(fileName: string): string {
  return fileName.replace(/\.[^.]+$/, "") || fileName;
}
