"""What a run shows: TensorBoard summaries, and a picture of its curves."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from tfsepgan.data.references.fixed_mixtures import Mixture

SHOWN = 2  # mixtures whose pictures and sounds are written


class Board:
    """Scalars, audio and spectrograms of one run for TensorBoard.

    Args:
      directory: folder of the event files.
    """

    def __init__(self, directory: Path):
        self.writer = tf.summary.create_file_writer(str(directory))

    def scalars(self, step: int, values: dict[str, float]) -> None:
        """Write numbers named `area/name` at a step."""
        with self.writer.as_default(step=step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        self.writer.flush()

    def sounds(
        self, step: int, mixtures: Sequence[Mixture], estimates: Sequence[np.ndarray], source: str
    ) -> None:
        """Write the first mixtures as audio and spectrograms.

        Args:
          estimates: one for each mixture, `[time, channels]`, of the source named `source`.
        Each mixture has four sounds: the mixture, the target, the estimate and the residual.
        """
        for index, (item, estimate) in enumerate(zip(mixtures[:SHOWN], estimates, strict=False)):
            parts = {
                "mixture": item.mixture,
                "target": item.sources[source],
                "estimate": estimate,
                "residual": item.mixture - estimate,
            }
            self.examples(step, parts, item.sample_rate_hz, area=f"{index}/")

    def examples(
        self, step: int, parts: dict[str, np.ndarray], sample_rate_hz: int, *, area: str = ""
    ) -> None:
        """Write sounds `[time, channels]` by name, and a picture of their spectrograms.

        Args:
          area: in front of the names; that of the picture is "sounds/" by default.
        """
        picture = spectrograms(parts, sample_rate_hz)
        with self.writer.as_default(step=step):
            for name, audio in parts.items():
                tf.summary.audio(f"{area}{name}", np.clip(audio, -1, 1)[None], sample_rate_hz)
            tf.summary.image(f"{area or 'sounds/'}spectrograms", picture[None])
        self.writer.flush()


def spectrograms(parts: dict[str, np.ndarray], sample_rate_hz: int) -> np.ndarray:
    """Spectrograms side by side as an RGBA picture, `[height, width, 4]` uint8.

    Args:
      parts: name to `[time, channels]`; the first channel is shown.
    """
    figure = Figure(figsize=(3 * len(parts), 3), layout="constrained")
    for axes, (name, audio) in zip(
        figure.subplots(1, len(parts), sharey=True), parts.items(), strict=True
    ):
        with np.errstate(divide="ignore"):  # silence is drawn in the darkest colour
            axes.specgram(
                audio[:, 0], NFFT=1024, Fs=sample_rate_hz, noverlap=512, vmin=-140, vmax=-30
            )
        axes.set_title(name)
        axes.set_xlabel("s")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="rgba", dpi=80)
    width, height = (int(round(side * 80)) for side in figure.get_size_inches())
    return np.frombuffer(buffer.getvalue(), np.uint8).reshape(height, width, 4)


def plot_curves(history: Sequence[dict[str, float]], path: Path) -> None:
    """Draw losses and validation scores over the steps into a PNG file.

    Args:
      history: one dictionary an epoch with `step`, `val/...` and `train/...`; a name may be missing
        in some epochs. Losses that are always zero are off, and are left out.
    """
    named = {name for row in history for name, value in row.items() if value}
    names = sorted(named - {"step", "minutes"}, reverse=True)
    if not names:
        return
    figure = Figure(figsize=(4 * min(4, len(names)), 3 * -(-len(names) // 4)), layout="constrained")
    grid = figure.subplots(-(-len(names) // 4), min(4, len(names)), squeeze=False)
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    for axes, name in zip(grid.flat, names, strict=False):
        rows = [row for row in history if name in row]
        axes.plot([row["step"] for row in rows], [row[name] for row in rows], marker=".")
        axes.set_title(name.removesuffix("_db"), fontsize="medium")
        axes.set_xlabel("training step")
        axes.set_ylabel("dB" if name.endswith("_db") else "loss, no unit")
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=100)
