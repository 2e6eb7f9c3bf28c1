/**
 * How a recording is divided among workers.
 *
 * A network reads a limited number of samples on either side (`context`). So a stretch that starts
 * earlier by that number gives the same samples as one pass over the whole recording.
 */

import type { ModelFacts } from "../model/facts";
import type { ModelShape } from "./messages";

const LEAST_SECONDS = 15; // shorter stretches would spend too much time on their context

/** Some channels of a stretch of a recording; all numbers are samples. */
export interface Task {
  channels: number[];
  /** The wanted samples. */
  first: number;
  last: number;
  /** Where reading starts. */
  from: number;
}

/** Divide a recording of `length` samples into at least `workers` tasks where it is long enough. */
export function divide(
  facts: ModelFacts,
  shape: ModelShape,
  recording: { length: number; channels: number },
  workers: number,
): Task[] {
  const groups = groupsOf(recording.channels, shape.channels);
  const longEnough = Math.floor(recording.length / (LEAST_SECONDS * facts.sample_rate_hz));
  const parts = Math.max(1, Math.min(Math.ceil(workers / groups.length), longEnough));
  const step = Math.ceil(recording.length / parts / shape.block) * shape.block;
  const warmUp = Math.ceil(facts.context / shape.block) * shape.block;
  return groups.flatMap((channels) =>
    Array.from({ length: parts }, (_, part) => ({
      channels,
      first: part * step,
      last: Math.min((part + 1) * step, recording.length),
      from: Math.max(0, part * step - warmUp),
    })).filter(({ first, last }) => first < last),
  );
}

function groupsOf(channels: number, width: number): number[][] {
  const all = Array.from({ length: channels }, (_, channel) => channel);
  const starts = all.filter((channel) => channel % width === 0);
  return starts.map((start) => all.slice(start, start + width));
}
