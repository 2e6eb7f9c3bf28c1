"""The files of stems: a template of names below the output folder, and its limits.

"{track}/{source}.{ext}" gives `song/piano.wav`, "{source}/{track}.{ext}" gives `piano/song.wav`.
"""

import os
from collections.abc import Sequence
from pathlib import Path, PurePath, PurePosixPath
from string import Formatter

from tfsepgan.audio.encodings import StemFormat
from tfsepgan.config import nearest
from tfsepgan.errors import ConfigError, DataError
from tfsepgan.separation.earlier import may_be_of, seconds_of
from tfsepgan.separation.inputs import track_of
from tfsepgan.separation.naming import (
    MAX_NAME_BYTES,
    Recording,
    is_safe_name,
    safe_name,
    same_name,
)

DEFAULT_NAME = "{track}/{source}.{ext}"
FIELDS = ("track", "source", "ext")
LONGEST_BYTES = MAX_NAME_BYTES + 20  # for the name of a stem and a suffix


def check_template(template: str, form: StemFormat) -> None:
    """Raise ConfigError for a template that cannot name the stems of one recording."""
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ConfigError(f"name is {template!r}, which is not a template: {error}.") from error
    for _, field, width, conversion in parts:
        if field is not None and field not in FIELDS:
            raise ConfigError(f"name has an unknown field {{{field}}}; {nearest(field, FIELDS)}")
        if width or conversion:
            raise ConfigError(f"name has {{{field}}} with a format; write {{{field}}} alone.")
    text = template.format(track="track", source="source", ext=_ext(form))
    if text.startswith("/") or not all(map(is_safe_name, text.split("/"))):
        raise ConfigError(
            f"name is {template!r}; wanted a path below the output folder, without '..', without"
            " empty or hidden names, and without characters that some systems forbid."
        )
    if not text.endswith(form.encoding.suffix):
        raise ConfigError(f"name is {template!r}; it must end with .{{ext}}, here .{_ext(form)}.")


def stem_files(
    template: str, track: PurePath | str, stems: Sequence[str], form: StemFormat
) -> dict[str, PurePosixPath]:
    """The file of each stem of a recording, relative to the output folder.

    Args:
      template: as `check_template` accepts it.
      track: folder of the recording, as `naming.Recording` has it.
    Raises: ConfigError for a name that is too long, or when two stems would share a file.
    """
    track = PurePath(track).as_posix()
    files = {
        stem: PurePosixPath(template.format(track=track, source=stem, ext=_ext(form)))
        for stem in stems
    }
    for part in (part for file in files.values() for part in file.parts):
        if len(part.encode()) > LONGEST_BYTES:
            raise ConfigError(f"{part} is longer than {LONGEST_BYTES} bytes; shorten the --name.")
    if len(set(files.values())) < len(stems):
        raise ConfigError(
            f"name is {template!r}, without {{source}}: {', '.join(stems)} would share a file."
            " Add {source}, or write one stem with --sources."
        )
    return files


def stem_places(
    path: Path,
    output_dir: Path,
    track: PurePath | str | None,
    stems: Sequence[str],
    form: StemFormat,
    template: str,
) -> dict[str, Path]:
    """The file of each stem of the recording at `path`; `track` is by default its `track_of`.

    Raises: ConfigError as `check_template` and `stem_files` do; DataError when a link leads out of
      the output folder.
    """
    check_template(template, form)
    parts = PurePath(track_of(path) if track is None else track).parts
    files = stem_files(template, PurePosixPath(*map(safe_name, parts)), stems, form)
    places = {stem: output_dir / file for stem, file in files.items()}
    for folder in {place.parent.resolve() for place in places.values()}:
        if not folder.is_relative_to(output_dir.resolve()):
            raise DataError(
                f"the stems of {path} would go to {folder}, outside {output_dir}; remove the link,"
                " or choose another output"
            )
    return places


def refuse_shared_files(
    recordings: Sequence[Recording],
    output_dir: str | os.PathLike,
    stems: Sequence[str],
    form: StemFormat,
    template: str,
) -> None:
    """Raise ConfigError where a stem would replace a recording, or the stem of another one."""
    check_template(template, form)
    inputs = {os.path.realpath(one.path) for one in recordings}
    owners: dict[str, Recording] = {}
    folders: dict[str, Recording] = {}
    for one in recordings:
        for file in stem_files(template, one.track, stems, form).values():
            place = Path(output_dir, file)
            if os.path.realpath(place) in inputs:
                raise ConfigError(
                    f"{place} is a recording, and a stem of {one.path} would replace it; choose"
                    " another --name or --output."
                )
            other = owners.setdefault(same_name(file), one)
            for folder in file.parents[:-1]:
                folders.setdefault(same_name(folder), one)
            if other is not one:
                raise ConfigError(
                    f"{other.path} and {one.path} would both write {place}; add {{track}} to the"
                    " --name."
                )
    for name in owners.keys() & folders.keys():
        raise ConfigError(
            f"{owners[name].path} would write the file {name}, and {folders[name].path} a folder of"
            " this name; choose another --name."
        )


def has_stems(
    recording: Recording,
    output_dir: str | os.PathLike,
    stems: Sequence[str],
    form: StemFormat,
    template: str = DEFAULT_NAME,
    *,
    seconds: float = 0.0,
) -> bool:
    """Whether all these stems of a recording exist already.

    Args:
      seconds: length of the recording; stems of another length are not its own. 0 for any length.
    """
    files = stem_files(template, recording.track, stems, form).values()
    places = [Path(output_dir, file) for file in files]
    if not all(place.is_file() for place in places):
        return False
    return not seconds or may_be_of(seconds_of(places), seconds)


def _ext(form: StemFormat) -> str:
    return form.encoding.suffix[1:]
