/** What the page and the worker that computes pictures send each other. */

type Samples = Float32Array<ArrayBuffer>;

/** How a song is cut into the columns of its pictures. */
export interface Grid {
  columns: number;
  /** Samples of the song, and their rate. */
  length: number;
  rateHz: number;
}

/** Some columns, and the samples around them. */
export interface Order {
  song: number;
  grid: Grid;
  first: number;
  last: number;
  /** Position of the first sample below in the song. */
  from: number;
  /** By channel. */
  mixture: Samples[];
  /** By source and channel; none where the sources are not known yet. */
  sources: Samples[][];
}

export interface Strip {
  song: number;
  first: number;
  last: number;
  /** The mixture alone, or the sources and the residual in this order. */
  lanes: LanePart[];
}

/** Columns of one lane. */
export interface LanePart {
  /** Lowest and highest sample of each column. */
  low: Samples;
  high: Samples;
  /** Level of each column and band, column after column: 0 is `FLOOR_DB` or less, 255 is 0 dB. */
  levels: Uint8Array<ArrayBuffer>;
}

export const BANDS = 88;
export const FLOOR_DB = -120;
export const FRAME = 4096; // samples of a spectrum; at 44.1 kHz bins of 11 Hz
export const LOWEST_HZ = 40;
export const HIGHEST_HZ = 16000;
const MOST_COLUMNS = 1200; // more than a phone shows, enough for a wide window

/** The grid of a song. */
export function gridOf(length: number, rateHz: number): Grid {
  return { columns: Math.min(MOST_COLUMNS, Math.max(1, length)), length, rateHz };
}

/** Position of the first sample of a column. */
export function startOf(grid: Grid, column: number): number {
  return Math.round((column * grid.length) / grid.columns);
}
