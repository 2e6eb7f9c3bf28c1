/** The description of the model that `tfsepgan web` writes beside the page. */

import { UserError } from "../errors";
import type { NetworkFacts } from "../network/facts";

export const FACTS_FILE = "model.json";

/** What the page needs to know of a model. */
export interface ModelFacts {
  name: string;
  licence: string;
  sources: string[];
  sample_rate_hz: number;
  /** Samples on either side that an output sample depends on. */
  context: number;
  /** Samples by which the output lags behind the input. */
  delay_samples: number;
  /** The file, compressed with gzip. */
  file: string;
  /** Of a network that the page runs itself; the file is then in the format safetensors. */
  network?: NetworkFacts;
}

/**
 * Read the description.
 *
 * @throws UserError when the folder holds no model.
 */
export async function readFacts(base: string): Promise<ModelFacts> {
  try {
    const reply = await fetch(new URL(FACTS_FILE, base));
    if (!reply.ok) {
      throw new Error(`${FACTS_FILE} is missing; write the folder again with \`tfsepgan web\`.`);
    }
    return (await reply.json()) as ModelFacts;
  } catch (error) {
    throw notLoaded(error);
  }
}

/** What a visitor reads when a file of the model is missing or damaged. */
export function notLoaded(error: unknown): UserError {
  return new UserError(`The page could not load its model: ${(error as Error).message}`);
}
