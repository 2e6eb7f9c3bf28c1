/** Records the microphone; the sound stays in this page. */

import { UserError } from "../errors";

const BITS_PER_SECOND = 256_000;

export class Recording {
  private readonly pieces: Blob[] = [];

  private constructor(
    private readonly recorder: MediaRecorder,
    private readonly stream: MediaStream,
  ) {
    recorder.ondataavailable = ({ data }): void => void this.pieces.push(data);
    recorder.start(1000);
  }

  /**
   * Ask for the microphone and start.
   *
   * @throws UserError where there is none, or the page may not use it.
   */
  static async start(): Promise<Recording> {
    if (!navigator.mediaDevices?.getUserMedia || typeof MediaRecorder !== "function") {
      throw new UserError(
        "The microphone is closed to this page. Open it from https:// or from localhost.",
      );
    }
    const unchanged = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: unchanged });
      const options = { audioBitsPerSecond: BITS_PER_SECOND };
      return new Recording(new MediaRecorder(stream, options), stream);
    } catch (error) {
      const missing = (error as DOMException).name === "NotFoundError";
      throw new UserError(
        missing
          ? "There is no microphone. Connect one, or choose a file."
          : "The browser does not allow the microphone. Allow it in the site's settings.",
      );
    }
  }

  /** Stop, and return what was recorded. */
  stop(): Promise<Blob> {
    return new Promise((resolve) => {
      this.recorder.onstop = (): void => {
        this.stream.getTracks().forEach((track) => track.stop());
        resolve(new Blob(this.pieces, { type: this.recorder.mimeType }));
      };
      this.recorder.stop();
    });
  }
}
