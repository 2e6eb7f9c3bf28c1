"""The clips of MIR-1K as mixtures, and what separates them: a bound, files, a model."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from tfsepgan.data.layouts.mir1k import CHANNELS, TRAINING_SINGERS
from tfsepgan.data.layouts.table import root_of
from tfsepgan.errors import DataError
from tfsepgan.evaluation.ideal_mask import ratio_mask_bound
from tfsepgan.metrics.global_nsdr import mix_at_equal_energy

SOURCES = ("voice", "accompaniment")
NAMES = {
    "voice": ("voice", "vocals", "vocal", "singing"),
    "accompaniment": ("accompaniment", "instrumental", "residual"),
}
MASK_FRAME = 1024  # samples, 64 ms at 16 kHz, as in the published networks


class Clip(NamedTuple):
    """A clip of the test set, mixed; signals are `[time]`."""

    name: str
    singer: str
    voice: np.ndarray
    accompaniment: np.ndarray
    mixture: np.ndarray
    sample_rate_hz: int


def test_clips(data: Path) -> list[Path]:
    """The scored recordings, ordered by name; DataError when the folder is not MIR-1K."""
    place = root_of("mir1k", data)
    if place is None:
        raise DataError(f"{data} holds no Wavfile/SINGER_SONG_CLIP.wav; use the folder of MIR-1K")
    found = sorted((place / "Wavfile").glob("*.wav"))
    clips = [path for path in found if path.stem.split("_")[0].lower() not in TRAINING_SINGERS]
    if not clips:
        raise DataError(
            f"{place} holds only the singers for training, {' and '.join(TRAINING_SINGERS)}"
        )
    return clips


def read_clip(path: Path, *, recorded: bool = False) -> Clip:
    """A recording mixed at equal energy, or as recorded; DataError without two channels."""
    audio, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
    if audio.shape[1] != 2:
        raise DataError(
            f"{path} has {audio.shape[1]} channels, wanted two: accompaniment left and voice right"
        )
    voice, accompaniment = audio[:, CHANNELS["voice"]], audio[:, CHANNELS["accompaniment"]]
    halves = (voice / 2, accompaniment / 2, audio.mean(axis=1))
    signals = halves if recorded else mix_at_equal_energy(voice, accompaniment)
    return Clip(path.stem, path.stem.split("_")[0], *signals, rate_hz)


class Bound:
    """The mixture itself, or the ideal ratio mask."""

    def __init__(self, kind: str):
        self._kind = kind

    def __call__(self, clip: Clip) -> np.ndarray:
        """Voice and accompaniment, `[2, time]`."""
        if self._kind == "mixture":
            return np.stack([clip.mixture] * 2)
        sources = {"voice": clip.voice, "accompaniment": clip.accompaniment}
        masked = ratio_mask_bound(sources, clip.mixture, frame=MASK_FRAME, hop=MASK_FRAME // 4)
        return np.stack([masked[name] for name in SOURCES])


class Folder:
    """Estimates from `DIR/CLIP/voice.wav` (and accompaniment or residual), or `DIR/CLIP.wav`."""

    def __init__(self, directory: Path):
        self._directory = directory

    def __call__(self, clip: Clip) -> np.ndarray:
        """Voice and accompaniment, `[2, time]`; DataError without a voice, or of another length."""
        voice = self._read(clip, "voice", [self._directory / f"{clip.name}.wav"])
        if voice is None:
            raise DataError(
                f"{self._directory} holds no {clip.name}/voice.wav and no {clip.name}.wav"
            )
        other = self._read(clip, "accompaniment", [])
        return np.stack([voice, clip.mixture - voice if other is None else other])

    def _read(self, clip: Clip, source: str, more: list[Path]) -> np.ndarray | None:
        places = [self._directory / clip.name / f"{name}.wav" for name in NAMES[source]] + more
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            return None
        audio, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
        if (len(audio), rate_hz) != (len(clip.mixture), clip.sample_rate_hz):
            wanted = f"{len(clip.mixture)} at {clip.sample_rate_hz} Hz"
            raise DataError(
                f"{path} has {len(audio)} samples at {rate_hz} Hz, wanted {wanted}; "
                "separate the mixture of the clip"
            )
        return audio.mean(axis=1)


class Model:
    """A run, a model folder or the name of a model; loaded at the first clip."""

    def __init__(self, model: str, voice: str | None):
        from tfsepgan.separation.separator import load

        self._separator = load(model)
        known = [name for name in self._separator.sources if name in NAMES["voice"]]
        self._voice = voice or (known[0] if known else self._separator.sources[0])
        if self._voice not in self._separator.sources:
            raise DataError(
                f"the model has no source {self._voice!r}; "
                f"it has {', '.join(self._separator.sources)}"
            )

    def __call__(self, clip: Clip) -> np.ndarray:
        """Voice and accompaniment, `[2, time]`."""
        audio = clip.mixture[:, None].astype(np.float32)
        voice = self._separator.separate(audio, clip.sample_rate_hz)[self._voice][:, 0].astype(
            np.float64
        )
        return np.stack([voice, clip.mixture - voice])


def write_mixtures(paths: list[Path], directory: Path, *, recorded: bool = False) -> None:
    """The mixtures as 32-bit float WAV, `DIRECTORY/CLIP.wav`."""
    directory.mkdir(parents=True, exist_ok=True)
    for path in paths:
        clip = read_clip(path, recorded=recorded)
        soundfile.write(
            directory / f"{clip.name}.wav", clip.mixture, clip.sample_rate_hz, subtype="FLOAT"
        )
