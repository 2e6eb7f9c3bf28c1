/** Errors whose message is written for the person at the page. */

export class UserError extends Error {
  override name = "UserError";
}

/** One sentence for any error; those of the browser are introduced as such. */
export function messageOf(error: unknown): string {
  if (error instanceof UserError) {
    return error.message;
  }
  return `Something went wrong: ${error instanceof Error ? error.message : String(error)}`;
}
