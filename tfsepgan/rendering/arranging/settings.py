"""What can be set about songs; a reason or range beside each number."""

from dataclasses import dataclass
from typing import Literal

from tfsepgan.rendering.settings import refuse_outside


@dataclass(frozen=True, kw_only=True)
class SongSettings:
    """How songs are arranged, mixed and mastered."""

    count: int = 100
    """How many songs; when there are fewer scores, a score is arranged again by another draw."""
    seconds: float = 60.0
    """Length of an excerpt; it begins with a bar, and the last sound is cut as a clip's is."""
    split: Literal["train", "valid", "test"] = "train"
    numbers: tuple[int, int] | None = None
    """Only songs from the first to the second of these numbers, as their folders are called; all
    without it."""
    tempo: float = 0.08
    """Tempo is drawn between 1 - this and 1 + this of the song's."""
    semitones: int = 3
    """Transposed by up to so many semitones."""
    piano_db: tuple[float, float] = (-12.0, 3.0)
    """Level of the piano against the sum of the others, each where it sounds: from the back of a
    band to a concerto's."""
    line_ups: tuple[str, ...] = ()
    """Only these; all when none is named."""
    sample_rate_hz: int = 44_100
    time_limit_seconds: float = 120.0
    """A stem that takes longer to synthesize is given up, and its song named."""
    synthesizer: Literal["auto", "fluidsynth", "tinysoundfont"] = "auto"
    """'auto': fluidsynth where it is on the path, else tinysoundfont."""
    workers: int | None = None
    """Processes; as many as there are cores without it."""
    seed: int = 0

    def __post_init__(self):
        """Refuse what cannot be meant."""
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
