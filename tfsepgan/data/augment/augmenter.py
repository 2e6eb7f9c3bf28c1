"""Changes of windows before they are mixed: other pianos, rooms, microphones and media than those
that were recorded.

Every part of a mixture is changed by itself, and only then does the law put them together, so what
is called a source is exactly what lies in the mixture, whatever was done to it. What is drawn is a
function of (seed, step, stream, window).

In this order, as sound takes it: speed, pitch, equaliser, room, band limits, codec, polarity; noise
  lies under the finished mixture.
"""

import functools
from collections.abc import Sequence
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

_PURPOSE = 77  # keeps these draws apart from those of which windows are heard
_PITCH = 78  # and those of the pitch, which is younger, from all others
_RECORDED = 0.5  # share of the rooms that are recorded ones, where there are any
# added to a room that is filtered: the narrowest, lowest equaliser falls by 60 dB in it
_RINGING_SECONDS = 0.1
_LONGEST_ROOM_SECONDS = 2.0  # of a recorded response: what comes later is inaudible in a window


class Augmenter:
    """Changes windows as the settings say.

    Args:
      config: of the data; `config.augment` says what is done.
    Raises: DataError when the folder of recorded rooms holds none.
    """

    def __init__(self, config: DataConfig):
        self.config, self.augment, self.rate = config, config.augment, config.sample_rate_hz
        heard = config.augment.room and config.augment.rooms
        self.rooms = recorded_rooms(config.augment.rooms, self.rate) if heard else ()

    @property
    def works(self) -> bool:
        """Whether a window can take filters or transforms, and not only another sign."""
        return any(getattr(self.augment, name) for name in AUGMENTATIONS if name != "polarity")

    def generator(
        self, step: int, stream: int, number: int, purpose: int = _PURPOSE
    ) -> np.random.Generator:
        """What one window's changes are drawn from, or with number -1 - item those that a mixture's
        parts share."""
        # Numbers that are counted, not hashed: made in a third of the time.
        place = np.array(
            [[self.config.seed, step, 0, 0], [0, number % 2**32, stream, purpose]], np.uint64
        )
        return np.random.Generator(np.random.Philox(key=place[0, :2], counter=place[1]))

    def speed(self, rng: np.random.Generator) -> float:
        """How fast a window, or all parts of a song, plays: 1 as recorded."""
        semitones = _between(rng, self.augment.speed_semitones)
        return float(2.0 ** (semitones / 12)) if rng.random() < self.augment.speed else 1.0

    def pitch(self, step: int, stream: int, number: int) -> float:
        """How many semitones a window, or all parts of a song, is moved by at its speed: 0 as
        recorded; numbers as of `generator`."""
        if not self.augment.pitch:
            return 0.0
        rng = self.generator(step, stream, number, _PITCH)
        semitones = _between(rng, self.augment.pitch_semitones)
        return semitones if rng.random() < self.augment.pitch else 0.0

    def played(self, samples: np.ndarray, speed: float, semitones: float) -> np.ndarray:
        """A window `[longer]` at another speed, and apart from it at another pitch, but not changed
        otherwise: float32 `[window]`."""
        window = self.config.window
        moved = at_pitch(samples[: played_length(window, speed)], semitones, self.rate, speed)[
            :window
        ]
        return np.pad(moved, (0, window - len(moved))) if len(moved) < window else moved

    def changes(self, *, source: bool) -> bool:
        """Whether the windows of wanted sources, or of others, are changed."""
        return self.augment.only in ("all", "sources" if source else "others")

    def changed(
        self, samples: np.ndarray, rng: np.random.Generator, speed: float, semitones: float = 0.0
    ) -> np.ndarray:
        """One window, changed.

        Args:
          samples: float32 `[longer]`, see `longer_window`.
          rng: draws the changes.
          speed: how fast it plays.
          semitones: how much higher it is than at that speed.
        Returns: float32 `[window]`.
        """
        augment, rate = self.augment, self.rate
        samples = self.played(samples, speed, semitones)
        sections = (
            equaliser(rng, augment.equaliser_db, rate) if rng.random() < augment.equaliser else []
        )
        room = self._room(rng) if rng.random() < augment.room else None
        for kind, range_hz in (
            ("lowpass", augment.low_pass_hz),
            ("highpass", augment.high_pass_hz),
        ):
            chance, frequency_hz = rng.random(), _between_octaves(rng, range_hz)
            if chance < augment.band_limit:
                sections += band_edge(kind, frequency_hz, rate)
        if room is None:
            samples = filtered(samples, sections)
        else:
            if sections:  # a filtered room is a room, and shorter than the window
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
        """A noise floor to be added to a mixture `[time]`, or None; its spectrum falls by 0 to 6 dB
        an octave."""
        level_db, reddening, chance = (
            _between(rng, self.augment.noise_db),
            rng.random(),
            rng.random(),
        )
        if chance >= self.augment.noise:
            return None
        noise = white_noise(len(mixture), rng)
        if reddening > 0.5:  # a leaky sum of white noise is brown
            noise = filtered(
                noise, [np.array([[1.0, 0.0, 0.0, 1.0, -0.99 * (2 * reddening - 1), 0.0]])]
            )
        wanted = root_mean_square(mixture) * 10.0 ** (level_db / 20)
        return noise * np.float32(wanted / root_mean_square(noise))


class Changes:
    """The changes of one step: of each window by its row in the plan, and what lies under each
    mixture.

    Args:
      augmenter: draws and makes them.
      plan: of the step's windows.
      stream: number of the stream that they are of.
      step: of training.
    """

    def __init__(self, augmenter: Augmenter, plan: Plan, stream: int, step: int):
        self._augmenter, self._plan, self._stream, self._step = augmenter, plan, stream, step
        self.noisy = augmenter.augment.noise > 0

    def window(self, row: int, samples: np.ndarray) -> np.ndarray:
        """A window of the plan `[longer]`, scaled, see `longer_window`: changed, float32
        `[window]`."""
        augmenter, draws = self._augmenter, self._plan.draws
        item, is_source = int(draws.item[row]), draws.part[row] != OTHER
        window, together = augmenter.config.window, bool(self._plan.together[item])
        changes = augmenter.changes(source=is_source)
        if not changes and not together:
            first = begin(self._plan, row, window)
            return samples[first : first + window]
        rng = augmenter.generator(self._step, self._stream, row)
        number = -1 - item if together else row  # a song keeps one speed and one pitch
        speed = augmenter.speed(
            augmenter.generator(self._step, self._stream, number) if together else rng
        )
        semitones = augmenter.pitch(self._step, self._stream, number)
        samples = samples[begin(self._plan, row, played_length(window, speed)) :]
        if changes:
            return augmenter.changed(samples, rng, speed, semitones)
        return augmenter.played(samples, speed, semitones)

    def noise(self, item: int, mixture: np.ndarray) -> np.ndarray | None:
        """What lies under a mixture `[time]`, or None; drawn apart from all that windows are
        changed by."""
        number = -1 - self._augmenter.config.batch - item
        return self._augmenter.noise(
            mixture, self._augmenter.generator(self._step, self._stream, number)
        )


def longer_window(config: DataConfig) -> int:
    """Samples to read for each window, so that one that plays faster fills it; another pitch needs
    no more."""
    if not config.augment.speed:
        return config.window
    return played_length(config.window, 2.0 ** (max(0.0, config.augment.speed_semitones[1]) / 12))


def played_length(window: int, speed: float) -> int:
    """Samples of a recording that fill a window when it plays at a speed."""
    return int(np.ceil(window * speed))


def room_files(folder: str) -> list[tuple[str, int]]:
    """Names in the folder of recorded rooms, and sizes in bytes, wherever it lies: what a run that
    goes on must find again."""
    found = (path for path in Path(folder).rglob("*") if path.suffix.lower() in SUFFIXES)
    paths = sorted(path for path in found if not path.name.startswith("."))
    return [(path.relative_to(folder).as_posix(), path.stat().st_size) for path in paths]


@functools.lru_cache(maxsize=4)
def recorded_rooms(folder: str, sample_rate_hz: int) -> Sequence[np.ndarray]:
    """Impulse responses of rooms, each starting at what comes directly, which is brought to 1.

    Args:
      folder: of recordings, one response each; folders below it count.
    Returns: float32 `[time]` each, two seconds at most.
    Raises: DataError when there is none, or one cannot be read or is silent.
    """
    paths = [Path(folder) / name for name, _ in room_files(folder)]
    if not paths:
        raise DataError(
            f"augment.rooms is {folder}, which holds no impulse responses ({', '.join(SUFFIXES)})."
            " Name a folder of them, or leave it out."
        )
    rooms = []
    for path in paths:
        response = decode(path, sample_rate_hz)[:, 0]
        peak = int(np.argmax(np.abs(response)))
        if not response[peak]:
            raise DataError(
                f"{path} is silent, and no room's impulse response; remove it from augment.rooms."
            )
        heard = response[peak : peak + round(_LONGEST_ROOM_SECONDS * sample_rate_hz)]
        rooms.append((heard / response[peak]).astype(np.float32))
    return tuple(rooms)


def _between(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return bounds[0] + (bounds[1] - bounds[0]) * rng.random()


def _between_octaves(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return bounds[0] * (bounds[1] / bounds[0]) ** rng.random()
