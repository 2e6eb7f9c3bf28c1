"""What can be set about rendering; a reason or range beside each number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tfsepgan.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class RenderSettings:
    """How scores become sound."""

    layout: Literal["unpaired", "multitrack"] = "unpaired"
    """'unpaired': every part a recording of its own. 'multitrack': every score a song, a file a
    class, aligned."""
    classes: tuple[str, ...] = ()
    """Instrument classes to render; all when none is named."""
    targets: tuple[str, ...] = ("piano",)
    """Unpaired: classes that are a source of their own; the others go below 'rest', a folder each."""
    parts: tuple[str, ...] = ()
    """Only parts whose name in the score is like one of these, as 'piano*'; capitals do not count."""
    assign: Literal["score", "any"] = "score"
    """'score': a part is played by what the score asks for. 'any': by a class it suits, drawn so
    that all get as much; lines go to line instruments, chords to chord instruments and, their
    lowest notes, to basses."""
    minutes: float | None = None
    """Unpaired: stop when every class has so much; without it, everything is rendered."""
    versions: int = 1
    """How often each part (or song) is rendered, each time by another draw."""
    tempo: float = 0.1
    """Tempo is drawn between 1 - this and 1 + this of the score's."""
    semitones: int = 2
    """Transposed by up to so many semitones, drums never."""
    velocity: float = 12.0
    """All velocities of a part move by up to this, and each note by a third of it more (standard
    deviation)."""
    timing_ms: float = 0.0
    """Standard deviation by which each note starts early or late; 0 keeps the score's times, for
    what a person played. Written scores sound less mechanical with 8."""
    longest_rest_seconds: float | None = None
    """Unpaired: longer rests are shortened to this; without it they stay."""
    longest_seconds: float = 600.0
    """A score is cut there, and that is said."""
    valid_share: float = 0.1
    """Share of the pieces that go to the split 'valid', by their names: the same whatever else is
    rendered."""
    test_share: float = 0.0
    sample_rate_hz: int = 44_100
    channels: Literal[1, 2] = 2
    """1 is the mean of the synthesizer's two."""
    level_db: float = -20.0
    """RMS, dBFS, of a recording, or of a song's sum."""
    peak_db: float = -1.0
    """The level gives way where the peak would pass this."""
    time_limit_seconds: float = 120.0
    """A file that takes longer to synthesize is given up and named; a score of four minutes takes
    two."""
    synthesizer: Literal["auto", "fluidsynth", "tinysoundfont"] = "auto"
    """'auto': fluidsynth where it is on the path, else tinysoundfont."""
    workers: int | None = None
    """Processes; as many as there are cores without it."""
    seed: int = 0

    def __post_init__(self):
        """Refuse what cannot be meant."""
        shares = (
            min(self.valid_share, self.test_share) >= 0 and self.valid_share + self.test_share < 1
        )
        limits = {
            "versions": (self.versions >= 1, "1 or more"),
            "minutes": (self.minutes is None or self.minutes > 0, "more than 0"),
            "tempo": (0 <= self.tempo < 1, "from 0 to below 1"),
            "semitones": (0 <= self.semitones <= 12, "from 0 to 12"),
            "velocity": (0 <= self.velocity <= 64, "from 0 to 64"),
            "timing_ms": (0 <= self.timing_ms <= 100, "from 0 to 100"),
            "longest_rest_seconds": (
                self.longest_rest_seconds is None or self.longest_rest_seconds >= 0,
                "0 or more",
            ),
            "longest_seconds": (self.longest_seconds > 1, "more than 1"),
            "valid_share": (shares, "with test_share from 0 to below 1"),
            "sample_rate_hz": (8_000 <= self.sample_rate_hz <= 96_000, "from 8000 to 96000"),
            "peak_db": (self.peak_db <= 0 and self.level_db <= 0, "with level_db 0 or less"),
            "time_limit_seconds": (self.time_limit_seconds > 0, "more than 0"),
            "workers": (self.workers is None or self.workers >= 1, "1 or more"),
            "seed": (self.seed >= 0, "0 or more"),
        }
        refuse_outside(self, limits)


def refuse_outside(settings: object, limits: Mapping[str, tuple[bool, str]]) -> None:
    """Raise ConfigError for the first setting that is not good: `limits` has whether each is, and
    what was wanted."""
    for name, (good, wanted) in limits.items():
        if not good:
            raise ConfigError(f"{name} is {getattr(settings, name)}; wanted: {wanted}.")
