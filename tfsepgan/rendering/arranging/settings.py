"""Settings of the song maker, with a reason or a range for each number."""

from dataclasses import dataclass
from typing import Literal

from tfsepgan.rendering.settings import refuse_outside


@dataclass(frozen=True, kw_only=True)
class SongSettings:
    """How songs are arranged, mixed and mastered."""

    count: int = 100
    """Number of songs; if there are fewer scores, scores are arranged again with another draw."""
    seconds: float = 60.0
    """Length of an excerpt; it starts with a bar, and its last sound is cut off at the end."""
    split: Literal["train", "valid", "test"] = "train"
    """Split that the songs are written to."""
    numbers: tuple[int, int] | None = None
    """Only songs whose folder has a number in this range; default: all."""
    tempo: float = 0.08
    """Tempo relative to the song, drawn between 1 - this and 1 + this."""
    semitones: int = 3
    """Transposition by up to this many semitones."""
    piano_db: tuple[float, float] = (-12.0, 3.0)
    """Level of the piano relative to the sum of the others, over active frames: from the back of a
    band to a concerto.
    """
    line_ups: tuple[str, ...] = ()
    """Only these line-ups of instruments; default: all."""
    sample_rate_hz: int = 44_100
    """Sample rate of the stems, in Hz."""
    time_limit_seconds: float = 120.0
    """A stem that takes longer to synthesize is abandoned, with a message that names the song."""
    synthesizer: Literal["auto", "fluidsynth", "tinysoundfont"] = "auto"
    """'auto': fluidsynth if it is on the path, otherwise tinysoundfont."""
    workers: int | None = None
    """Number of processes; default: the number of cores."""
    seed: int = 0
    """Seed of every random draw."""

    def __post_init__(self):
        """Refuse invalid settings."""
        low, high = self.piano_db
        first, last = self.numbers or (0, 0)
        limits = {
            "count": (self.count >= 1, "1 or more"),
            "seconds": (5 <= self.seconds <= 600, "from 5 to 600"),
            "numbers": (0 <= first <= last, "the first, then the last"),
            "tempo": (0 <= self.tempo <= 0.5, "from 0 to 0.5"),
            "semitones": (0 <= self.semitones <= 12, "from 0 to 12"),
            "piano_db": (-40 <= low <= high <= 40, "two levels from -40 to 40, the lower first"),
            "sample_rate_hz": (16_000 <= self.sample_rate_hz <= 96_000, "from 16000 to 96000"),
            "time_limit_seconds": (self.time_limit_seconds > 0, "more than 0"),
            "workers": (self.workers is None or self.workers >= 1, "1 or more"),
            "seed": (self.seed >= 0, "0 or more"),
        }
        refuse_outside(self, limits)
