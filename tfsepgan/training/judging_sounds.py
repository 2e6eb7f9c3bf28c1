"""What a run that learns to make sounds is judged by after each epoch: how far their spectra are from the recordings'."""

from typing import Any

import numpy as np
import tensorflow as tf
from rich.console import Console

from tfsepgan.config import Experiment
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.references.fixed_windows import fixed_windows
from tfsepgan.metrics.spectra import distance_db, mean_distance_db, spectra_of
from tfsepgan.training.board import SHOWN, Board, spectrograms
from tfsepgan.training.judging import Judgement

WINDOWS = 64  # of recordings: about a minute of them, whose spectra two draws agree on to about 1 dB
SOUNDS = 32  # made for each judgement; the same latents all run long
JUDGING_SEED = 20_000  # apart from every training seed in use, as in `judging`


class SynthesisJudge:
    """Distance of the sounds' spectra from those of the source's recordings, in dB a band; its negative is the score.

    The recordings are of the valid split, else of the train split.

    Args:
      system: a `SynthesisSystem`.
      catalogue, experiment: what it learns from.
      console: told when there is no valid split.
    """

    def __init__(self, system: Any, catalogue: Catalogue, experiment: Experiment, console: Console):
        self.system, self.data = system, experiment.data
        source = experiment.data.sources[0]
        split = "valid" if source in catalogue.splits.get("valid", {}) else "train"
        self.score_name = f"dB a band: minus the distance to the spectra of the {split} split"
        self.recordings = None
        if not experiment.training.validation_mixtures:
            return
        if split == "train":
            console.print(
                f"No valid split of {source}: sounds are judged by the spectra of the train split.", markup=False
            )
        windows = fixed_windows(
            catalogue.splits[split][source],
            window=self.data.window,
            count=WINDOWS,
            sample_rate_hz=self.data.sample_rate_hz,
            seed=JUDGING_SEED,
            silence_db=self.data.silence_db,
        )
        self.recordings = spectra_of(windows, self.data.sample_rate_hz)

    def judge(self) -> Judgement:
        """Make sounds and compare their spectra."""
        if self.recordings is None:
            return Judgement({}, None)
        made = spectra_of(self.sounds(), self.data.sample_rate_hz)
        distance = distance_db(made, self.recordings)
        numbers = {
            "val/spectral_distance_db": distance,
            "val/mean_spectrum_distance_db": mean_distance_db(made, self.recordings),
        }
        return Judgement(numbers, -distance)

    def sounds(self) -> np.ndarray:
        """The sounds that are judged, `[SOUNDS, time]`."""
        return self.system.generate(SOUNDS, seed=JUDGING_SEED)[:, :, 0]

    def show(self, board: Board, step: int) -> None:
        """Write the first sounds as audio and as spectrograms."""
        parts = {f"sound {k}": sound[:, None] for k, sound in enumerate(self.sounds()[: 2 * SHOWN])}
        with board.writer.as_default(step=step):
            for name, audio in parts.items():
                tf.summary.audio(name, np.clip(audio, -1, 1)[None], self.data.sample_rate_hz)
            tf.summary.image("sounds/spectrograms", spectrograms(parts, self.data.sample_rate_hz)[None])
        board.writer.flush()
