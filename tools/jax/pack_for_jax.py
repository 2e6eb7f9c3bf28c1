"""Packs recordings into few bytes, for tools/jax/train_on_jax.py on another machine.

    python tools/jax/pack_for_jax.py --data recorded,piano,songs --sources piano --output packed \\
        [--minutes 180] [--song-minutes 40] [--sample-rate-hz 44100] \\
        [--codec lapped] [--quality 22] [--cache DIR]

Takes the train split, as mono. `--minutes` is the total of unpaired recordings: half of it wanted
sources, half others, as evenly over folders as possible (short folders whole, all longer ones to
the same length), and the middle of each long recording. `--song-minutes` is the total over all
stems of songs; all stems of a song are cut at the same position. Prints the size, and the
signal-to-noise ratio of the codec.

Seven recordings of 16 s (pianos, cello, choir, guitar, orchestra), one thread:

    codec     kbit/s   SNR       0-1 kHz   1-4    4-8    8-14 kHz   decoded
    lapped    47.0     19.6 dB   20.4      15.6   8.6    3.6        1160 x real time
    vorbis    47.9     20.5 dB   23.4      13.9   10.4   8.5        1600 x real time

64 MiB hold three hours with either.
"""

import argparse
import os
from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from jax_pack import PEAK, decode, encode, write_pack

from tfsepgan.audio.recording import AudioFile
from tfsepgan.audio.wav import HEADER_BYTES
from tfsepgan.data.batches.cache import default_cache_directory, unpack
from tfsepgan.data.batches.pool import arrangement
from tfsepgan.data.batches.unpacked import Recording, envelope_hop
from tfsepgan.data.recordings.catalogue import Catalogue
from tfsepgan.data.recordings.opening import open_catalogue
from tfsepgan.errors import DataError

SPLIT = "train"
LEAST_SECONDS = 12.0  # kept of a recording that is cut: a few windows
QUALITIES = {"lapped": 22.0, "vorbis": 0.0}  # both give about 48 kbit/s at 44.1 kHz


def even_limit(seconds: Sequence[float], budget: float) -> float:
    """The most seconds of any folder with which all fit a budget; infinite if they fit uncut."""
    left, ordered = budget, sorted(seconds)
    for number, one in enumerate(ordered):
        share = left / (len(ordered) - number)
        if one > share:
            return share
        left -= one
    return float("inf")


def kept_seconds(
    catalogue: Catalogue, sources: Sequence[str], apart: float, of_songs: float
) -> dict[str, float]:
    """Seconds to keep of each recording, by name; without recordings that are left out.

    Args:
      apart: seconds of unpaired recordings, in total.
      of_songs: seconds of all stems of songs, in total.
    """
    songs = catalogue.tracks(SPLIT)
    in_songs = {file.name for stems in songs.values() for file in stems.values()}
    folders: dict[bool, dict[str, list[AudioFile]]] = {True: {}, False: {}}
    for source, files in catalogue.splits[SPLIT].items():
        for file in files:
            if file.name not in in_songs:
                folders[source in sources].setdefault(catalogue.balance_group(file), []).append(
                    file
                )
    kept = {}
    for wanted in folders.values():
        totals = {name: sum(file.seconds for file in files) for name, files in wanted.items()}
        limit = even_limit(list(totals.values()), apart / 2)
        for name, files in wanted.items():
            share, left = min(1.0, limit / totals[name]), min(limit, totals[name])
            for file in (
                files[number] for number in np.random.default_rng(0).permutation(len(files))
            ):
                kept[file.name] = min(_cut(file.seconds, share), max(left, 1.0))
                left -= kept[file.name]
                if left <= 0:
                    break
    return kept | _of_songs(list(songs.values()), of_songs)


def _cut(seconds: float, share: float) -> float:
    return min(seconds, max(share * seconds, LEAST_SECONDS))


def _of_songs(songs: list[dict[str, AudioFile]], budget: float) -> dict[str, float]:
    total = sum(file.seconds for stems in songs for file in stems.values())
    kept, left = {}, budget
    for stems in songs:
        whole = max(file.seconds for file in stems.values())
        seconds = _cut(whole, min(1.0, budget / max(total, 1e-9)))
        if left < seconds * len(stems):
            break
        left -= seconds * len(stems)
        kept |= {file.name: seconds for file in stems.values()}
    return kept


def cut(
    recording: Recording, whole_frames: int, seconds: float, sample_rate_hz: int
) -> tuple[Recording, int]:
    """The middle of a recording, or of its song, in whole hops of its envelope.

    Returns: the cut recording, and its first sample; a stem that ends earlier has no frames.
    """
    hop = envelope_hop(sample_rate_hz)
    frames = min(whole_frames, round(seconds * sample_rate_hz))
    start = (whole_frames - frames) // 2 // hop * hop
    frames = max(0, min(frames, recording.frames - start))
    levels = recording.envelope[start // hop : -(-(start + frames) // hop)]
    return replace(recording, frames=frames, envelope=levels), start


def read(recording: Recording, start: int) -> np.ndarray:
    """Samples of an unpacked recording, float32."""
    offset = HEADER_BYTES + 2 * start
    stored = np.fromfile(recording.path, "<i2", recording.frames, offset=offset)
    return stored * np.float32(recording.scale)


def coded(
    task: tuple[Recording, int], sample_rate_hz: int, codec: str, quality: float
) -> tuple[bytes, float, float]:
    """One recording: its bytes, the scale of its decoded samples, and its SNR in dB."""
    recording, start = task
    samples = read(recording, start)
    scale = max(float(np.abs(samples).max()), 1e-6) / PEAK
    body = encode(samples / np.float32(scale), sample_rate_hz, codec, quality)
    error = samples - scale * decode(body, codec, len(samples))
    return (
        body,
        scale,
        10 * float(np.log10((np.mean(samples**2) + 1e-20) / (np.mean(error**2) + 1e-20))),
    )


def pack(options: argparse.Namespace) -> None:
    """Choose, unpack, cut, code and write."""
    rate, sources = options.sample_rate_hz, tuple(options.sources.split(","))
    catalogue = open_catalogue(
        options.data, sources, leave_out=options.leave_out, cache=options.cache
    )
    catalogue.require(SPLIT, sources)
    kept = kept_seconds(catalogue, sources, 60 * options.minutes, 60 * options.song_minutes)
    catalogue = only(catalogue, kept)
    lacking = [source for source in sources if source not in catalogue.splits[SPLIT]]
    if lacking:
        raise DataError(f"Nothing of {lacking[0]!r} is left. Use more --minutes or --song-minutes.")
    cuts = cut_all(catalogue, kept, rate, options.cache or default_cache_directory())
    catalogue = only(catalogue, cuts)
    unpacked = {name: (recording,) for name, (recording, _) in cuts.items()}
    made = arrangement(catalogue, SPLIT, sources, unpacked, rate, balance=options.balance)
    tasks = [cuts[recording.name] for recording in made["recordings"]]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        done = list(pool.map(lambda task: coded(task, rate, options.codec, options.quality), tasks))
    made["recordings"] = [
        replace(recording, scale=scale)
        for recording, (_, scale, _) in zip(made["recordings"], done, strict=True)
    ]
    source_of = {file.name: s for s, files in catalogue.splits[SPLIT].items() for file in files}
    bodies = [
        (f"{source_of[recording.name]}.pack", body)
        for (recording, _), (body, _, _) in zip(tasks, done, strict=True)
    ]
    size = write_pack(options.output, made, bodies, {"sources": sources, "codec": options.codec})
    seconds = sum(recording.frames for recording in made["recordings"]) / rate
    low, middle, high = np.percentile([snr_db for _, _, snr_db in done], [10, 50, 90])
    print(
        f"{len(tasks)} recordings, {seconds / 60:.1f} min, {len(made['tracks'])} songs: "
        f"{size / 2**20:.2f} MiB, {8 * size / seconds / 1000:.1f} kbit/s; "
        f"SNR {middle:.1f} dB (10 %: {low:.1f}, 90 %: {high:.1f})"
    )


def only(catalogue: Catalogue, names: Container[str]) -> Catalogue:
    """The train split with these files only, without sources that have none."""
    splits = {
        source: tuple(file for file in files if file.name in names)
        for source, files in catalogue.splits[SPLIT].items()
    }
    return replace(catalogue, splits={SPLIT: {s: files for s, files in splits.items() if files}})


def cut_all(
    catalogue: Catalogue, kept: dict[str, float], rate: int, cache: str | Path
) -> dict[str, tuple[Recording, int]]:
    """Unpack all recordings and cut them; by name, without stems that end before the cut.

    Args:
      kept: from `kept_seconds`.
    """
    files = [file for of_source in catalogue.splits[SPLIT].values() for file in of_source]
    unpacked = unpack(files, sample_rate_hz=rate, cache_dir=cache)
    song_frames = {}
    for stems in catalogue.tracks(SPLIT).values():
        longest = max(unpacked[file.name][0].frames for file in stems.values())
        song_frames |= {file.name: longest for file in stems.values()}
    cuts = {
        name: cut(recording, song_frames.get(name, recording.frames), kept[name], rate)
        for name, (recording, *_) in unpacked.items()
    }
    return {name: made for name, made in cuts.items() if made[0].frames}


def main() -> None:
    """Read the flags and pack."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="folders of recordings, separated by commas")
    parser.add_argument("--sources", default="piano", help="wanted sources, separated by commas")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--minutes", type=float, default=180.0)
    parser.add_argument("--song-minutes", type=float, default=0.0)
    parser.add_argument("--sample-rate-hz", type=int, default=44100)
    parser.add_argument("--balance", choices=("length", "folders"), default="folders")
    parser.add_argument("--codec", choices=tuple(QUALITIES), default="lapped")
    parser.add_argument("--quality", type=float, help="of the codec, see jax_pack.encode")
    parser.add_argument(
        "--leave-out",
        nargs="*",
        default=(),
        help="patterns of SET/SPLIT/SOURCE/..., as in training",
    )
    parser.add_argument("--cache", help="folder of unpacked recordings")
    options = parser.parse_args()
    options.quality = QUALITIES[options.codec] if options.quality is None else options.quality
    pack(options)


if __name__ == "__main__":
    main()
