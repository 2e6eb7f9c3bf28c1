/** The numbers of a filterbank masker, as `tfsepgan/web/weights.py` writes them. */

export interface NetworkFacts {
  /** Samples of the analysis window, and from one frame to the next. */
  frame: number;
  hop: number;
  /** Of the convolution of each block: frames between its taps, and frames it looks ahead. */
  dilations: number[];
  ahead: number[];
  /** Frames before and after that the level of a frame is measured on; [0, 0] leaves it. */
  level: [number, number];
  epsilon: number;
  floor: number;
  amplified: number;
}
