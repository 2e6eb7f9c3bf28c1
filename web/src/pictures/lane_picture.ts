/** The waveform and the spectrogram of one lane, on a canvas. */

import { coloursOf } from "./colours";
import { BANDS, FLOOR_DB, type Grid, type LanePart } from "./messages";

const RANGE_DB = 60; // from the darkest to the brightest colour
const CONTRAST = 1.35; // above 1, quiet sounds are shown closer to silence
const WAVE_SHARE = 0.3; // of the height; the spectrogram has the rest
const LEAST_TOP_DB = -60; // silence stays dark

/** Levels that all lanes of a song share, so that they can be compared. */
export interface Scale {
  /** The largest sample. */
  peak: number;
  /** Level of the brightest colour. */
  topDb: number;
}

export class LanePicture {
  private readonly low: Float32Array;
  private readonly high: Float32Array;
  private readonly levels: Uint8Array;
  private readonly known: Uint8Array;
  private readonly image: HTMLCanvasElement;
  /** How often each level occurs. */
  private readonly counts = new Uint32Array(256);
  private peak = 1e-4;

  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly grid: Grid,
  ) {
    this.low = new Float32Array(grid.columns);
    this.high = new Float32Array(grid.columns);
    this.known = new Uint8Array(grid.columns);
    this.levels = new Uint8Array(grid.columns * BANDS);
    this.image = document.createElement("canvas");
    this.image.width = grid.columns;
    this.image.height = BANDS;
  }

  /** Keep computed columns. */
  add(first: number, { low, high, levels }: LanePart): void {
    this.low.set(low, first);
    this.high.set(high, first);
    this.levels.set(levels, first * BANDS);
    this.known.fill(1, first, first + low.length);
    levels.forEach((level) => (this.counts[level]! += 1));
    low.forEach((value, at) => (this.peak = Math.max(this.peak, -value, high[at]!)));
  }

  /** The scale that suits this lane. */
  scale(): Scale {
    let above = 0;
    let top = 255;
    while (top > 0 && (above += this.counts[top]!) < this.levels.length * 0.002) {
      top -= 1;
    }
    return { peak: this.peak, topDb: Math.max(LEAST_TOP_DB, FLOOR_DB * (1 - top / 255)) };
  }

  /** Draw all that is known, in the colours that the style sheet gives the canvas. */
  draw(scale: Scale): void {
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth, clientHeight } = this.canvas;
    const width = Math.round(clientWidth * ratio);
    const height = Math.round(clientHeight * ratio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    const context = this.canvas.getContext("2d");
    if (!context || this.canvas.width === 0) {
      return;
    }
    context.clearRect(0, 0, width, height);
    const wave = Math.round(this.canvas.height * WAVE_SHARE);
    this.paintSpectrogram(scale);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.image, 0, wave, this.canvas.width, this.canvas.height - wave);
    this.drawWave(context, wave, scale.peak);
  }

  private paintSpectrogram({ topDb }: Scale): void {
    const context = this.image.getContext("2d");
    if (!context) {
      return;
    }
    const { columns } = this.grid;
    const image = context.createImageData(columns, BANDS);
    const pixels = new Uint32Array(image.data.buffer);
    const colours = coloursOf(this.canvas);
    const colourOf = Uint32Array.from({ length: 256 }, (_, level) => {
      const db = FLOOR_DB * (1 - level / 255);
      const share = Math.min(Math.max((db - topDb + RANGE_DB) / RANGE_DB, 0), 1) ** CONTRAST;
      return colours[Math.round(share * 255)]!;
    });
    for (let column = 0; column < columns; column += 1) {
      for (let band = 0; band < BANDS && this.known[column]; band += 1) {
        const level = this.levels[column * BANDS + band]!;
        pixels[(BANDS - 1 - band) * columns + column] = colourOf[level]!;
      }
    }
    context.putImageData(image, 0, 0);
  }

  private drawWave(context: CanvasRenderingContext2D, height: number, peak: number): void {
    const { width } = this.canvas;
    const { columns } = this.grid;
    const middle = height / 2;
    const unit = (0.92 * middle) / peak;
    context.fillStyle = getComputedStyle(this.canvas).getPropertyValue("--wave").trim();
    for (let x = 0; x < width; x += 1) {
      const first = Math.floor((x * columns) / width);
      const last = Math.max(first + 1, Math.floor(((x + 1) * columns) / width));
      if (this.known[first]) {
        const high = this.high.subarray(first, last).reduce((a, b) => Math.max(a, b), 0) * unit;
        const low = this.low.subarray(first, last).reduce((a, b) => Math.min(a, b), 0) * unit;
        context.fillRect(x, middle - high, 1, Math.max(1, high - low));
      }
    }
  }
}
