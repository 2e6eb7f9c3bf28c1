"""Downloads free real recordings for the `piano` model into a data set, in one call. See piano.md.

    python tools/recipes/recorded.py --output data/recorded

recorded.json describes each recording: title, player, licence, credit, folder. recorded.sha256
lists every file with its checksum, recorded.large those of --large. Repositories are cloned with
git, packages downloaded with apt-get and npm, or read from the folders of --clones. Existing files
are kept, so an interrupted call resumes. The exit code is 1 when a recording was left out: it is
not available, or its checksum differs.
"""

import argparse
import io
import json
import sys
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import numpy as np
import soundfile
from rich.console import Console
from rich.progress import track
from rich.table import Table

from tfsepgan.errors import DataError, TfsepganError
from tfsepgan.files import remove_half_written, sha256_of, write_whole

sys.path[:0] = [str(Path(__file__).parent)]
from recorded_sources import NotAvailable, Read, address, open_source  # noqa: E402
from recorded_table import DESCRIBED, KEPT_SUFFIXES, SPLIT, Recording, digest_of, read_table  # noqa: E402

TABLE = Path(__file__).with_name("recorded.json")
LOUDEST = 0.999  # of full scale, for decoded peaks above it


def decoded(data: bytes, name: str, cut: list[float] | None) -> tuple[np.ndarray, int]:
    """Decode and cut: float32 `[time, channels]` within full scale, and the rate in Hz.

    Raises: DataError when it has no sound.
    """
    if PurePosixPath(name).suffix.lower() in KEPT_SUFFIXES:
        samples, rate_hz = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    else:
        samples, rate_hz = _decoded_by_av(data, name)
    if cut:
        samples = samples[round(cut[0] * rate_hz) : round(cut[1] * rate_hz)]
    if not len(samples):
        raise DataError(
            f"{name} has no sound between {cut[0]} and {cut[1]} s."
            if cut
            else f"{name} has no sound."
        )
    return samples * min(1.0, LOUDEST / max(float(np.abs(samples).max()), 1e-9)), rate_hz


def _decoded_by_av(data: bytes, name: str) -> tuple[np.ndarray, int]:
    try:
        import av
    except ImportError:
        raise NotAvailable(f"{name} needs PyAV: pip install av") from None
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        resampler = av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
        frames = [
            part.to_ndarray()
            for frame in container.decode(stream)
            for part in resampler.resample(frame)
        ]
        return np.concatenate(frames, axis=1).T.astype(np.float32), stream.rate


def in_place(recording: Recording, output: Path, known: dict[str, dict]) -> bool:
    """Whether a recording exists as in the table."""
    path = output / recording.target
    if not path.is_file():
        return False
    if recording.as_it_is:
        return digest_of(path.read_bytes(), recording.digest) == recording.digest
    entry = known.get(recording.target, {})
    same = entry.get("digest") == recording.digest and entry.get("cut") == recording.cut
    return same and entry.get("written_sha256") == sha256_of(path)


def put(recording: Recording, read: Read, output: Path) -> None:
    """Read a recording and write it, whole or not at all.

    Raises: NotAvailable when it is not available, DataError when its checksum differs.
    """
    data = read(recording.path)
    found = digest_of(data, recording.digest)
    if found != recording.digest:
        raise DataError(
            f"differs: its checksum is {found[:16]}..., the table has {recording.digest[:16]}..."
        )
    if recording.as_it_is:
        write_whole(output / recording.target, lambda file: file.write(data), lasting=False)
        return
    samples, rate_hz = decoded(data, recording.path, recording.cut)
    flac = io.BytesIO()
    soundfile.write(flac, samples, rate_hz, format="FLAC", subtype="PCM_16")
    write_whole(output / recording.target, lambda file: file.write(flac.getvalue()), lasting=False)


def entry_of(recording: Recording, sources: dict, output: Path) -> dict:
    """The manifest's entry of a recording."""
    path = output / recording.target
    info = soundfile.info(str(path))
    entry = {"file": recording.target} | {key: recording.work[key] for key in DESCRIBED}
    entry |= {
        "source": address(sources[recording.source], recording.path),
        "digest": recording.digest,
    }
    if not recording.as_it_is:
        entry |= {"cut": recording.cut, "written_sha256": sha256_of(path)}
    return entry | {"seconds": round(info.frames / info.samplerate, 2)}


def gather(
    sources: dict, recordings: list[Recording], output: Path, cache: Path, folders: list[Path]
) -> tuple[list[dict], dict[str, str]]:
    """Write all recordings, and `manifest.json` after each source.

    Returns: the entries of the manifest; and the reason for each recording that was left out.
    """
    manifest = output / "manifest.json"
    known = (
        {entry["file"]: entry for entry in json.loads(manifest.read_text())}
        if manifest.is_file()
        else {}
    )
    left_out: dict[str, str] = {}
    for name in sorted({recording.source for recording in recordings}):
        mine = [recording for recording in recordings if recording.source == name]
        wanted = [recording for recording in mine if not in_place(recording, output, known)]
        left_out |= dict(_from_source(name, sources[name], wanted, output, cache, folders))
        for recording in mine:
            known.pop(recording.target, None)
            if recording.target not in left_out:
                known[recording.target] = entry_of(recording, sources, output)
        there = [entry for entry in known.values() if (output / entry["file"]).is_file()]
        entries = sorted(there, key=lambda entry: entry["file"])
        text = json.dumps(entries, indent=1, ensure_ascii=False)
        write_whole(manifest, lambda file, text=text: file.write(text.encode()))
    wished = {recording.target for recording in recordings}
    return [entry for entry in known.values() if entry["file"] in wished], left_out


def _from_source(
    name: str,
    source: dict,
    wanted: list[Recording],
    output: Path,
    cache: Path,
    folders: Iterable[Path],
) -> Iterator[tuple[str, str]]:
    """Write the recordings of one source; yields those that were left out, with reasons."""
    if not wanted:
        return
    try:
        read = open_source(source, [recording.path for recording in wanted], cache, folders)
    except NotAvailable as error:
        yield from ((recording.target, f"{name} is not available: {error}") for recording in wanted)
        return
    for recording in track(wanted, description=name):
        remove_half_written((output / recording.target).parent)
        try:
            put(recording, read, output)
        except TfsepganError as error:
            yield recording.target, f"{name}, {recording.path}: {error}"


def rows(entries: Iterable[dict]) -> list[tuple[str, str, int, float, str]]:
    """Folder, players, files, minutes and licences: a row for each folder, piano first."""
    folders: dict[str, list[dict]] = {}
    for entry in entries:
        folders.setdefault(
            str(PurePosixPath(entry["file"]).parent).removeprefix(f"{SPLIT}/"), []
        ).append(entry)
    return [
        (
            folder,
            "; ".join(dict.fromkeys(entry["player"] for entry in inside)),
            len(inside),
            sum(entry["seconds"] for entry in inside) / 60,
            "; ".join(dict.fromkeys(entry["licence"] for entry in inside)),
        )
        for folder, inside in sorted(folders.items())
    ]


def as_markdown(entries: Iterable[dict]) -> str:
    """The table of piano.md."""
    lines = ["| folder | who | files | minutes | licence |", "|---|---|---|---|---|"]
    lines += [
        f"| `{folder}` | {who} | {files} | {minutes:.1f} | {licence} |"
        for folder, who, files, minutes, licence in rows(entries)
    ]
    return "\n".join(lines)


def show(entries: list[dict], left_out: dict[str, str], console: Console) -> None:
    """Print the table, its sums and the left-out recordings."""
    table = Table("folder", "who", "files", "minutes", "licence")
    for folder, who, files, minutes, licence in rows(entries):
        table.add_row(folder, who, str(files), f"{minutes:.1f}", licence)
    console.print(table)
    for side in ("piano", "rest"):
        minutes = (
            sum(
                entry["seconds"]
                for entry in entries
                if entry["file"].startswith(f"{SPLIT}/{side}/")
            )
            / 60
        )
        console.print(f"{side}: {minutes:.1f} minutes")
    files_of: dict[str, list[str]] = {}
    for target, why in left_out.items():
        files_of.setdefault(why, []).append(target)
    for why, targets in files_of.items():
        more = f" and {len(targets) - 1} more" if len(targets) > 1 else ""
        line = f"left out: {targets[0]}{more}: {why}"
        console.print(line, style="red", markup=False, highlight=False)


def main(arguments: list[str] | None = None) -> int:
    """Read the command line, gather, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True, help="data set to make or to resume")
    parser.add_argument(
        "--cache", type=Path, help="folder for repositories and packages (OUTPUT.sources)"
    )
    parser.add_argument(
        "--clones",
        type=Path,
        nargs="+",
        default=[],
        help="folders that hold OWNER+NAME, *.deb, *.tgz",
    )
    parser.add_argument(
        "--table",
        type=Path,
        default=TABLE,
        help="the table (recorded.json beside this script)",
    )
    parser.add_argument(
        "--only", default="*", help="folders to write, such as piano/* or rest/drums"
    )
    parser.add_argument(
        "--large",
        action="store_true",
        help="also files above 4 MB, which the shipped model was not trained on",
    )
    parser.add_argument(
        "--markdown", action="store_true", help="print the table as Markdown instead"
    )
    options = parser.parse_args(arguments)
    cache = options.cache or options.output.with_name(f"{options.output.name}.sources")
    console = Console()
    try:
        sources, recordings = read_table(options.table, large=options.large)
        wanted = [
            recording for recording in recordings if fnmatchcase(recording.work["to"], options.only)
        ]
        entries, left_out = gather(sources, wanted, options.output, cache, options.clones)
    except TfsepganError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    if options.markdown:
        print(as_markdown(entries))
    else:
        show(entries, left_out, console)
    return 1 if left_out else 0


if __name__ == "__main__":
    sys.exit(main())
