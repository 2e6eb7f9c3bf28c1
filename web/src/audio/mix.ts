/** How loud each stem is heard. */

import { RESIDUAL } from "./song";

export interface MixSettings {
  solo: ReadonlySet<string>;
  muted: ReadonlySet<string>;
  /** From -1, sources alone, to 1, the residual alone; 0 is the mixture. */
  balance: number;
}

/** The gain of a stem, 0 to 1. */
export function gainOf(stem: string, { solo, muted, balance }: MixSettings): number {
  if (muted.has(stem) || (solo.size > 0 && !solo.has(stem))) {
    return 0;
  }
  return stem === RESIDUAL ? Math.min(1, 1 + balance) : Math.min(1, 1 - balance);
}
