/** The functions of `web/kernels`, compiled to WebAssembly; they see nothing but one memory. */

/** An address in the memory. */
export type Address = number;

export interface Kernels {
  begin(
    rows: number,
    source: Address,
    sourceBytes: number,
    bias: Address,
    output: Address,
    outputBytes: number,
  ): void;
  product(
    rows: number,
    input: Address,
    inputBytes: number,
    scales: Address,
    inputs: number,
    weights: Address,
    weightScales: Address,
    outputs: number,
    output: Address,
    outputBytes: number,
    panel: Address,
  ): void;
  normalise(
    rows: number,
    input: Address,
    channels: number,
    gamma: Address,
    beta: Address,
    epsilon: number,
    limit: number,
    normal: Address,
    output: Address,
    scales: Address,
  ): void;
  round(
    rows: number,
    input: Address,
    width: number,
    least: number,
    limit: number,
    output: Address,
    scales: Address,
  ): void;
  analyse(
    frames: number,
    samples: Address,
    hop: number,
    window: Address,
    size: number,
    bins: number,
    output: Address,
    work: Address,
    circle: Address,
  ): void;
  synthesise(
    frames: number,
    spectra: Address,
    bins: number,
    used: number,
    masks: Address,
    maskBytes: number,
    hop: number,
    window: Address,
    length: number,
    size: number,
    output: Address,
    work: Address,
    circle: Address,
  ): void;
  meanPowers(rows: number, spectra: Address, bins: number, used: number, output: Address): void;
  loudness(
    rows: number,
    spectra: Address,
    bins: number,
    gains: Address,
    floor: number,
    factors: Address,
    terms: Address,
    output: Address,
  ): void;
  sigmoid(count: number, values: Address): void;
}

/** Bind the functions to a memory. */
export async function kernelsOn(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Promise<Kernels> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  return exports as unknown as Kernels;
}
