/** The arrays of a file in the format safetensors: header length, JSON header, numbers. */

interface Described {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** One array of a file. */
export interface StoredArray {
  shape: number[];
  /** As they are in the file, little-endian. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** Read a file. @throws Error where it is cut off. */
export function readArrays(file: Uint8Array<ArrayBuffer>): Map<string, StoredArray> {
  const { buffer, byteOffset } = file;
  const length = Number(new DataView(buffer, byteOffset).getBigUint64(0, true));
  const text = new TextDecoder().decode(file.subarray(8, 8 + length));
  const header = JSON.parse(text) as Record<string, Described>;
  return new Map(
    Object.entries(header).map(([name, { shape, data_offsets: [first, last] }]) => {
      const bytes = file.subarray(8 + length + first, 8 + length + last);
      if (bytes.length !== last - first) {
        throw new Error("the file of the model is cut off");
      }
      return [name, { shape, bytes }];
    }),
  );
}
