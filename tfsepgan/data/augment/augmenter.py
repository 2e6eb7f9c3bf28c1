"""Augmentation of windows before they are mixed: other instruments, rooms, microphones and media.

Every source is changed on its own, and the mixing law is applied afterwards. So a source is exactly
what the mixture contains. All random numbers depend only on (seed, step, stream, window).

The order is that of the sound's path: speed, pitch, equaliser, room, band limits, codec, polarity.
Noise is added to the finished mixture.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfsepgan.audio.decoding import decode
from tfsepgan.audio.formats import SUFFIXES
from tfsepgan.config import AUGMENTATIONS, DataConfig
from tfsepgan.data.augment.effects import (
    band_edge,
    equaliser,
    filtered,
    in_room,
    room_response,
    through_codec,
    white_noise,
)
from tfsepgan.data.augment.pitch_shift import at_pitch
from tfsepgan.data.batches.draws import Plan, begin
from tfsepgan.data.batches.mixing_laws import root_mean_square
from tfsepgan.data.batches.pool import OTHER
from tfsepgan.errors import DataError
from tfsepgan.files import files_below, refuse_unreadable

_PURPOSE = 77  # makes these draws independent of those that choose windows
_PITCH = 78  # and those of the pitch, which was added later, independent of all others
_RECORDED = 0.5  # share of recorded rooms, if there are any
# added to a filtered room: within it, the narrowest and lowest equaliser decays by 60 dB
_RINGING_SECONDS = 0.1
_LONGEST_ROOM_SECONDS = 2.0  # of a recorded response; later parts are inaudible in a window


class Augmenter:
    """Changes windows by the settings.

    Args:
      config: of the data; `config.augment` sets the changes.
    Raises: DataError when the folder of recorded rooms holds none.
    """

    def __init__(self, config: DataConfig):
        self.config, self.augment, self.rate = config, config.augment, config.sample_rate_hz
        recorded = config.augment.room and config.augment.rooms
        self.rooms = recorded_rooms(config.augment.rooms, self.rate) if recorded else ()

    @property
    def works(self) -> bool:
        """Whether any change other than inverting the sign is possible."""
        return any(getattr(self.augment, name) for name in AUGMENTATIONS if name != "polarity")

    def generator(
        self, step: int, stream: int, number: int, purpose: int = _PURPOSE
    ) -> np.random.Generator:
        """Random numbers for the changes of one window.

        Number -1 - item gives the random numbers of changes that all sources of a mixture share.
        """
        # A counter-based generator is made in a third of the time of one with a hashed seed.
        place = np.array(
            [[self.config.seed, step, 0, 0], [0, number % 2**32, stream, purpose]], np.uint64
        )
        return np.random.Generator(np.random.Philox(key=place[0, :2], counter=place[1]))

    def speed(self, rng: np.random.Generator) -> float:
        """The speed of a window, or of all sources of a song; 1 is as recorded."""
        semitones = _between(rng, self.augment.speed_semitones)
        return float(2.0 ** (semitones / 12)) if rng.random() < self.augment.speed else 1.0

    def pitch(self, step: int, stream: int, number: int) -> float:
        """The pitch shift in semitones of a window, or of all sources of a song; 0 is as recorded.

        The numbers are those of `generator`.
        """
        if not self.augment.pitch:
            return 0.0
        rng = self.generator(step, stream, number, _PITCH)
        semitones = _between(rng, self.augment.pitch_semitones)
        return semitones if rng.random() < self.augment.pitch else 0.0

    def played(self, samples: np.ndarray, speed: float, semitones: float) -> np.ndarray:
        """A window at another speed and another pitch, without other changes.

        Args:
          samples: float32 `[longer]`, see `longer_window`.
          speed: playing speed.
          semitones: pitch shift in addition to that of the speed.
        Returns: float32 `[window]`.
        """
        window = self.config.window
        read = samples[: played_length(window, speed)]
        moved = at_pitch(read, semitones, self.rate, speed)[:window]
        return np.pad(moved, (0, window - len(moved))) if len(moved) < window else moved

    def changes(self, *, source: bool) -> bool:
        """Whether the windows of wanted sources, or of others, are changed."""
        return self.augment.only in ("all", "sources" if source else "others")

    def changed(
        self, samples: np.ndarray, rng: np.random.Generator, speed: float, semitones: float = 0.0
    ) -> np.ndarray:
        """One window with all changes.

        Args:
          samples: float32 `[longer]`, see `longer_window`.
          rng: draws the changes.
          speed: playing speed.
          semitones: pitch shift in addition to that of the speed.
        Returns: float32 `[window]`.
        """
        augment, rate = self.augment, self.rate
        samples = self.played(samples, speed, semitones)
        equalised = rng.random() < augment.equaliser
        sections = equaliser(rng, augment.equaliser_db, rate) if equalised else []
        room = self._room(rng) if rng.random() < augment.room else None
        bands = {"lowpass": augment.low_pass_hz, "highpass": augment.high_pass_hz}
        for kind, range_hz in bands.items():
            chance, frequency_hz = rng.random(), _between_octaves(rng, range_hz)
            if chance < augment.band_limit:
                sections += band_edge(kind, frequency_hz, rate)
        if room is None:
            samples = filtered(samples, sections)
        else:
            if sections:  # filter the room, which is shorter than the window
                room = filtered(np.pad(room, (0, round(_RINGING_SECONDS * rate))), sections)
            samples = in_room(samples, room)
        if rng.random() < augment.codec:
            samples = through_codec(samples, _between(rng, augment.codec_quality), rate)
        return -samples if rng.random() < augment.polarity else samples

    def _room(self, rng: np.random.Generator) -> np.ndarray:
        if self.rooms and rng.random() < _RECORDED:
            return self.rooms[int(rng.integers(0, len(self.rooms)))]
        seconds = _between_octaves(rng, self.augment.room_seconds)
        return room_response(seconds, _between(rng, self.augment.room_db), self.rate, rng)

    def noise(self, mixture: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
        """A noise floor for a mixture `[time]`, or None.

        Its spectrum falls by 0 to 6 dB an octave.
        """
        level_db = _between(rng, self.augment.noise_db)
        reddening, chance = rng.random(), rng.random()
        if chance >= self.augment.noise:
            return None
        noise = white_noise(len(mixture), rng)
        if reddening > 0.5:  # a leaky sum of white noise is brown noise
            leak = 0.99 * (2 * reddening - 1)
            noise = filtered(noise, [np.array([[1.0, 0.0, 0.0, 1.0, -leak, 0.0]])])
        noise_rms = root_mean_square(mixture) * 10.0 ** (level_db / 20)
        return noise * np.float32(noise_rms / root_mean_square(noise))


@dataclass(frozen=True)
class Changes:
    """The changes of one step: of each window, by its row in the plan, and under each mixture."""

    augmenter: Augmenter
    plan: Plan
    stream: int
    """Number of the stream of the plan."""
    step: int

    def window(self, row: int, samples: np.ndarray) -> np.ndarray:
        """A changed window of the plan.

        Args:
          row: its row in the plan.
          samples: float32 `[longer]`, see `longer_window`.
        Returns: float32 `[window]`.
        """
        augmenter, draws = self.augmenter, self.plan.draws
        item, is_source = int(draws.item[row]), draws.part[row] != OTHER
        window, together = augmenter.config.window, bool(self.plan.together[item])
        changes = augmenter.changes(source=is_source)
        if not changes and not together:
            first = begin(self.plan, row, window)
            return samples[first : first + window]
        rng = augmenter.generator(self.step, self.stream, row)
        number = -1 - item if together else row  # a song keeps one speed and one pitch
        shared = augmenter.generator(self.step, self.stream, number) if together else rng
        speed = augmenter.speed(shared)
        semitones = augmenter.pitch(self.step, self.stream, number)
        samples = samples[begin(self.plan, row, played_length(window, speed)) :]
        if changes:
            return augmenter.changed(samples, rng, speed, semitones)
        return augmenter.played(samples, speed, semitones)

    def noise(self, item: int, mixture: np.ndarray) -> np.ndarray | None:
        """The noise under a mixture `[time]`, or None; independent of the changes of windows."""
        number = -1 - self.augmenter.config.batch - item
        rng = self.augmenter.generator(self.step, self.stream, number)
        return self.augmenter.noise(mixture, rng)


def longer_window(config: DataConfig) -> int:
    """Samples to read for each window, enough for the highest speed.

    Another pitch needs no additional samples.
    """
    if not config.augment.speed:
        return config.window
    return played_length(config.window, 2.0 ** (max(0.0, config.augment.speed_semitones[1]) / 12))


def played_length(window: int, speed: float) -> int:
    """Samples of a recording that fill a window at a speed."""
    return int(np.ceil(window * speed))


def room_files(folder: str) -> list[tuple[str, int]]:
    """Names and sizes in bytes of the recorded rooms in a folder.

    A resumed run must have the same recorded rooms.

    Raises: DataError for a folder that cannot be read.
    """
    if not Path(folder).is_dir():
        return []
    paths = [
        path
        for path in files_below(Path(folder), unreadable=refuse_unreadable)
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]
    return [(path.relative_to(folder).as_posix(), path.stat().st_size) for path in paths]


@functools.lru_cache(maxsize=4)
def recorded_rooms(folder: str, sample_rate_hz: int) -> Sequence[np.ndarray]:
    """Impulse responses of rooms, starting at the direct sound, which is scaled to 1.

    Args:
      folder: of recordings, one response each; subfolders are included.
      sample_rate_hz: rate of the audio.
    Returns: float32 `[time]` each, at most two seconds.
    Raises: DataError when there is none, or one cannot be read or is silent.
    """
    paths = [Path(folder) / name for name, _ in room_files(folder)]
    if not paths:
        raise DataError(
            f"augment.rooms is {folder}, which holds no impulse responses ({', '.join(SUFFIXES)})."
            " Set a folder that does, or leave it out."
        )
    rooms = []
    for path in paths:
        response = decode(path, sample_rate_hz)[:, 0]
        peak = int(np.argmax(np.abs(response)))
        if not response[peak]:
            raise DataError(
                f"{path} is silent, so it is no impulse response; remove it from augment.rooms."
            )
        kept = response[peak : peak + round(_LONGEST_ROOM_SECONDS * sample_rate_hz)]
        rooms.append((kept / response[peak]).astype(np.float32))
    return tuple(rooms)


def _between(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * rng.random()


def _between_octaves(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return bounds[0] * (bounds[1] / bounds[0]) ** rng.random()
