"""Settings of the renderer, with a reason or a range for each number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tfsepgan.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class RenderSettings:
    """How scores are rendered."""

    layout: Literal["unpaired", "multitrack"] = "unpaired"
    """'unpaired': every part is a recording. 'multitrack': every score is a song, with one aligned
    file for each class.
    """
    classes: tuple[str, ...] = ()
    """Instrument classes to render; default: all."""
    targets: tuple[str, ...] = ("piano",)
    """Unpaired: classes that are separate sources; all others are written below 'rest', in a folder
    each.
    """
    parts: tuple[str, ...] = ()
    """Use only parts whose name in the score matches one of these patterns, such as 'piano*'; case
    is ignored.
    """
    assign: Literal["score", "any"] = "score"
    """'score': a part is played by the instrument in the score. 'any': by any class it suits,
    balanced over classes; lines are played by line instruments, chords by chord instruments, and
    the lowest notes of chords also by basses.
    """
    minutes: float | None = None
    """Unpaired: stop when every class has this many minutes; default: render everything."""
    versions: int = 1
    """How many times each part (or song) is rendered, each with another random draw."""
    tempo: float = 0.1
    """Tempo relative to the score, drawn between 1 - this and 1 + this."""
    semitones: int = 2
    """Transposition by up to this many semitones; drums are never transposed."""
    velocity: float = 12.0
    """All velocities of a part change by up to this; the standard deviation over notes is a third
    of it.
    """
    timing_ms: float = 0.0
    """Standard deviation of the start of each note; 0 keeps the score's times, which is right for
    performances. For written scores, 8 sounds less mechanical.
    """
    longest_rest_seconds: float | None = None
    """Unpaired: longer rests are shortened to this; default: they are kept."""
    longest_seconds: float = 600.0
    """Longer scores are cut to this length, with a message."""
    valid_share: float = 0.1
    """Share of the pieces in the split 'valid', chosen by name, so independent of what else is
    rendered.
    """
    test_share: float = 0.0
    """Share of the pieces in the split 'test'."""
    sample_rate_hz: int = 44_100
    """Sample rate of the recordings, in Hz."""
    channels: Literal[1, 2] = 2
    """1 is the mean of the synthesizer's two channels."""
    level_db: float = -20.0
    """RMS in dBFS of a recording, or of the sum of a song's stems."""
    peak_db: float = -1.0
    """The level is reduced where the peak would exceed this, in dBFS."""
    time_limit_seconds: float = 120.0
    """A file that takes longer to synthesize is abandoned, with a message; a score of four minutes
    takes two seconds.
    """
    synthesizer: Literal["auto", "fluidsynth", "tinysoundfont"] = "auto"
    """'auto': fluidsynth if it is on the path, otherwise tinysoundfont."""
    workers: int | None = None
    """Number of processes; default: the number of cores."""
    seed: int = 0
    """Seed of every random draw."""

    def __post_init__(self):
        """Refuse invalid settings."""
        least, both = min(self.valid_share, self.test_share), self.valid_share + self.test_share
        rest_seconds = self.longest_rest_seconds
        limits = {
            "versions": (self.versions >= 1, "1 or more"),
            "minutes": (self.minutes is None or self.minutes > 0, "more than 0"),
            "tempo": (0 <= self.tempo < 1, "from 0 to below 1"),
            "semitones": (0 <= self.semitones <= 12, "from 0 to 12"),
            "velocity": (0 <= self.velocity <= 64, "from 0 to 64"),
            "timing_ms": (0 <= self.timing_ms <= 100, "from 0 to 100"),
            "longest_rest_seconds": (rest_seconds is None or rest_seconds >= 0, "0 or more"),
            "longest_seconds": (self.longest_seconds > 1, "more than 1"),
            "valid_share": (least >= 0 and both < 1, "with test_share from 0 to below 1"),
            "sample_rate_hz": (8_000 <= self.sample_rate_hz <= 96_000, "from 8000 to 96000"),
            "peak_db": (self.peak_db <= 0 and self.level_db <= 0, "with level_db 0 or less"),
            "time_limit_seconds": (self.time_limit_seconds > 0, "more than 0"),
            "workers": (self.workers is None or self.workers >= 1, "1 or more"),
            "seed": (self.seed >= 0, "0 or more"),
        }
        refuse_outside(self, limits)


def refuse_outside(settings: object, limits: Mapping[str, tuple[bool, str]]) -> None:
    """Raise ConfigError for the first invalid setting.

    Args:
      settings: any object with the settings as attributes.
      limits: by name of a setting, whether its value is valid, and the values that are.
    """
    for name, (valid, expected) in limits.items():
        if not valid:
            raise ConfigError(f"{name} is {getattr(settings, name)}; expected: {expected}.")
