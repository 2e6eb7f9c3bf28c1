"""Audio to compare and calibrate exported files with: a given recording, or packaged recordings."""

from pathlib import Path

import numpy as np

from tfsepgan.audio.decoding import decode
from tfsepgan.config import DataConfig
from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.data.references.fixed_mixtures import Mixture, fixed_mixtures
from tfsepgan.export.tflite.variants import Rehearsal
from tfsepgan.models.folders import Manifest

PARITY_SECONDS = 10
CALIBRATION_MIXTURES, SCORED_MIXTURES = 3, 3  # of PARITY_SECONDS each


def parity_audio(path: str | Path | None, manifest: Manifest) -> np.ndarray:
    """Return ten seconds of real audio at the rate of the model, mono, `[time, 1]`.

    Args:
      path: a recording; None takes a test mixture of the packaged recordings.
    Raises: DataError when the recording cannot be read.
    """
    if path is not None:
        return decode(path, manifest.sample_rate_hz)[: PARITY_SECONDS * manifest.sample_rate_hz]
    return _packaged_mixtures(manifest, split="test", count=1)[0].mixture


def rehearsal_for(manifest: Manifest, recording: np.ndarray | None = None) -> Rehearsal:
    """Return the audio that quantised TFLite files are calibrated and scored on.

    Scores come from test mixtures of the packaged recordings.

    Args:
      recording: `[time, channels]`, the audio for calibration; None takes validation mixtures of
        the packaged recordings.
    """
    scored = _packaged_mixtures(manifest, split="test", count=SCORED_MIXTURES)
    if recording is not None:
        calibration = (recording,)
    else:
        mixtures = _packaged_mixtures(manifest, split="valid", count=CALIBRATION_MIXTURES)
        calibration = tuple(item.mixture for item in mixtures)
    return Rehearsal(calibration=calibration, mixtures=tuple(scored))


def _packaged_mixtures(manifest: Manifest, *, split: str, count: int) -> list[Mixture]:
    config = DataConfig(sample_rate_hz=manifest.sample_rate_hz, law="snr")
    demo = open_catalogue("demo", config.sources)
    return fixed_mixtures(demo, config, split=split, count=count, seconds=PARITY_SECONDS)
