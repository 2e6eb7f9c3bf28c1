/** The colours of spectrograms. */

const COUNT = 256;
const STOPS = ["--dark", "--middle", "--bright"]; // in the style sheet

let stops = "";
let kept = new Uint32Array(COUNT);

/** A gradient of 256 colours, as pixels, through the three that the style sheet gives a canvas. */
export function coloursOf(canvas: HTMLCanvasElement): Uint32Array {
  const style = getComputedStyle(canvas);
  const wanted = STOPS.map((name) => style.getPropertyValue(name).trim());
  if (wanted.join() !== stops) {
    stops = wanted.join();
    kept = gradient(wanted);
  }
  return kept;
}

function gradient(colours: string[]): Uint32Array<ArrayBuffer> {
  const strip = document.createElement("canvas");
  strip.width = COUNT;
  strip.height = 1;
  const context = strip.getContext("2d");
  if (!context) {
    return new Uint32Array(COUNT);
  }
  const gradient = context.createLinearGradient(0, 0, COUNT, 0);
  colours.forEach((colour, index) => {
    gradient.addColorStop(index / (colours.length - 1), colour);
  });
  context.fillStyle = gradient;
  context.fillRect(0, 0, COUNT, 1);
  return new Uint32Array(context.getImageData(0, 0, COUNT, 1).data.buffer);
}
