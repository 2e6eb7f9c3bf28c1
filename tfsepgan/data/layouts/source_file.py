"""One recording of one source, with its place in a data set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tfsepgan.audio.recording import AudioFile, open_audio


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


def open_source(
    path: Path,
    *,
    split: str,
    source: str,
    track: str | None = None,
    below: str,
    set_number: int = 1,
    further: Sequence[Path] = (),
    channel: int | None = None,
    stream: int | None = None,
) -> SourceFile:
    """Read the head of a recording's files and give it its place in the native layout.

    Args:
      path, further, channel, stream: see `AudioFile`.
      split, source: of the recording.
      track: its song, if it belongs to one.
      below: its name below the source's folder (unpaired), or the file name in its song's folder.
      set_number: see `SourceFile`.
    Raises: DataError as `open_audio` does.
    """
    inner, _, _ = below.rpartition("/")
    folder = source if track is not None or not inner else f"{source}/{inner.partition('/')[0]}"
    file = open_audio(
        path,
        f"{split}/{source if track is None else track}/{below}",
        further=tuple(further),
        channel=channel,
        stream=stream,
    )
    place = {"split": split, "source": source, "track": track, "folder": folder}
    return SourceFile(**vars(file), **place, set_number=set_number)
