"""One recording of one source, with its place in a data set."""

from dataclasses import dataclass

from tfsepgan.audio.recording import AudioFile

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, kw_only=True)
class SourceFile(AudioFile):
    """A recording, with its split, source, track, folder and set as fields."""

    split: str
    source: str
    track: str | None = None
    """The song it belongs to; None for an unpaired recording."""
    folder: str
    """Its instrument folder: the first folder below the source, or else the source itself."""
    set_number: int = 1
    """Which of the joined sets it comes from, counted from 1."""

    @property
    def unit(self) -> str:
        """What stays whole: the song as SPLIT/SONG, or the name of an unpaired recording."""
        return self.name if self.track is None else f"{self.split}/{self.track}"
