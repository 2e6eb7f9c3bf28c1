"""Packs recordings small, for tools/train_on_jax.py on a machine that they are copied to.

    python tools/pack_for_jax.py --data recorded,piano,songs --sources piano --output packed [--minutes 180] [--song-minutes 40]
        [--sample-rate-hz 44100] [--codec lapped] [--quality 22] [--cache DIR]

Takes the train split, mono. Of recordings that windows are drawn from apart, so many minutes are kept that they add up to --minutes:
half of wanted sources and half of others, folders as evenly as they allow (a folder of a few minutes whole, all longer ones alike), and
of a long recording its middle. Of songs the same place of all parts, --song-minutes added up over the parts. Figures of size and of signal
over the codec's noise are printed.

Seven recordings of 16 s (pianos, cello, choir, guitar, orchestra), one thread: 'lapped' 47.0 kbit/s, 19.6 dB over its noise (20.4, 15.6,
8.6, 3.6 dB in 0 to 1, 4, 8 and 14 kHz), decoded 1160 x as fast as they play; 'vorbis' 47.9 kbit/s, 20.5 dB (23.4, 13.9, 10.4, 8.5), 1600 x.
64 MiB hold three hours of either.
"""

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from jax_pack import PEAK, decode, encode, write_pack

from tfsepgan.audio.recording import AudioFile
from tfsepgan.audio.wav import HEADER_BYTES
from tfsepgan.cli.catalogue import open_catalogue
from tfsepgan.data.cache import default_cache_directory, unpack
from tfsepgan.data.catalogue import Catalogue
from tfsepgan.data.unpacked import Recording, envelope_hop
from tfsepgan.data.windows import arrangement
from tfsepgan.errors import DataError

SPLIT = "train"
LEAST_SECONDS = 12.0  # of a recording that is cut: a few windows
QUALITIES = {"lapped": 22.0, "vorbis": 0.0}  # either about 48 kbit/s at 44.1 kHz


def even_limit(seconds: Sequence[float], budget: float) -> float:
    """The longest that any folder may be, so that all add up to a budget; infinite where they do anyway."""
    left, ordered = budget, sorted(seconds)
    for number, one in enumerate(ordered):
        share = left / (len(ordered) - number)
        if one > share:
            return share
        left -= one
    return float("inf")


def kept_seconds(catalogue: Catalogue, sources: Sequence[str], apart: float, of_songs: float) -> dict[str, float]:
    """Seconds to keep of each recording, by name; recordings that are not kept are not there.

    Args:
      apart: seconds of recordings that are drawn apart, altogether.
      of_songs: of all parts of songs.
    """
    songs = catalogue.tracks(SPLIT)
    in_songs = {file.name for stems in songs.values() for file in stems.values()}
    folders: dict[bool, dict[str, list[AudioFile]]] = {True: {}, False: {}}
    for source, files in catalogue.splits[SPLIT].items():
        for file in files:
            if file.name not in in_songs:
                folders[source in sources].setdefault(catalogue.place(file), []).append(file)
    kept = {}
    for wanted in folders.values():
        totals = {name: sum(file.seconds for file in files) for name, files in wanted.items()}
        limit = even_limit(list(totals.values()), apart / 2)
        for name, files in wanted.items():
            share, left = min(1.0, limit / totals[name]), min(limit, totals[name])
            for file in (files[number] for number in np.random.default_rng(0).permutation(len(files))):
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


def cut(recording: Recording, whole_frames: int, seconds: float, sample_rate_hz: int) -> tuple[Recording, int]:
    """The middle of a recording, or of the song that it is a part of, in whole hops of its envelope.

    Returns: it, and its first sample; a part that ends before it has no frames.
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


def coded(task: tuple[Recording, int], sample_rate_hz: int, codec: str, quality: float) -> tuple[bytes, float, float]:
    """One recording: its bytes, what one unit of the decoded samples is worth, and signal over noise in dB."""
    recording, start = task
    samples = read(recording, start)
    worth = max(float(np.abs(samples).max()), 1e-6) / PEAK
    body = encode(samples / np.float32(worth), sample_rate_hz, codec, quality)
    error = samples - worth * decode(body, codec, len(samples))
    return body, worth, 10 * float(np.log10((np.mean(samples**2) + 1e-20) / (np.mean(error**2) + 1e-20)))


def pack(options: argparse.Namespace) -> None:
    """Choose, unpack, cut, code and write."""
    rate, sources = options.sample_rate_hz, tuple(options.sources.split(","))
    catalogue = open_catalogue(options.data, sources, leave_out=options.leave_out, cache=options.cache)
    catalogue.require(SPLIT, sources)
    kept = kept_seconds(catalogue, sources, 60 * options.minutes, 60 * options.song_minutes)
    splits = {s: tuple(f for f in files if f.name in kept) for s, files in catalogue.splits[SPLIT].items()}
    lacking = [source for source in sources if not splits[source]]
    if lacking:
        raise DataError(f"Nothing of {lacking[0]!r} is left. Give more --minutes or --song-minutes.")
    catalogue = replace(catalogue, splits={SPLIT: {source: files for source, files in splits.items() if files}})
    files = [file for of_source in splits.values() for file in of_source]
    unpacked = unpack(files, sample_rate_hz=rate, cache_dir=options.cache or default_cache_directory())
    song_frames = {}
    for stems in catalogue.tracks(SPLIT).values():
        longest = max(unpacked[file.name][0].frames for file in stems.values())
        song_frames |= {file.name: longest for file in stems.values()}
    cuts = {}
    for name, (recording, *_) in unpacked.items():
        cuts[name] = cut(recording, song_frames.get(name, recording.frames), kept[name], rate)
    names = {name for name, (recording, _) in cuts.items() if recording.frames}
    splits = {s: tuple(f for f in files if f.name in names) for s, files in catalogue.splits[SPLIT].items()}
    catalogue = replace(catalogue, splits={SPLIT: {source: files for source, files in splits.items() if files}})
    made = arrangement(
        catalogue, SPLIT, sources, {name: (cuts[name][0],) for name in names}, rate, balance=options.balance
    )
    tasks = [cuts[recording.name] for recording in made["recordings"]]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        done = list(pool.map(lambda task: coded(task, rate, options.codec, options.quality), tasks))
    made["recordings"] = [
        replace(recording, scale=worth) for recording, (_, worth, _) in zip(made["recordings"], done, strict=True)
    ]
    bodies = [(f"{task[0].name.split('/')[1]}.pack", body) for task, (body, _, _) in zip(tasks, done, strict=True)]
    if catalogue.layout == "multitrack":
        bodies = [(f"{Path(task[0].name).stem}.pack", body) for task, (_, body) in zip(tasks, bodies, strict=True)]
    size = write_pack(options.output, made, bodies, {"sources": sources, "codec": options.codec})
    seconds = sum(recording.frames for recording in made["recordings"]) / rate
    noise = np.percentile([snr for _, _, snr in done], [10, 50, 90])
    print(
        f"{len(tasks)} recordings, {seconds / 60:.1f} min, {len(made['tracks'])} songs: {size / 2**20:.2f} MiB, "
        f"{8 * size / seconds / 1000:.1f} kbit/s; signal over noise {noise[1]:.1f} dB (10 %: {noise[0]:.1f}, 90 %: {noise[2]:.1f})"
    )


def main() -> None:
    """Read the flags and pack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folders of recordings, with commas between")
    parser.add_argument("--sources", default="piano", help="wanted sources, with commas between")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    parser.add_argument("--minutes", type=float, default=180.0)
    parser.add_argument("--song-minutes", type=float, default=0.0)
    parser.add_argument("--sample-rate-hz", type=int, default=44100)
    parser.add_argument("--balance", choices=("length", "folders"), default="folders")
    parser.add_argument("--codec", choices=tuple(QUALITIES), default="lapped")
    parser.add_argument("--quality", type=float, help="of the codec, see jax_pack.encode")
    parser.add_argument("--leave-out", nargs="*", default=(), help="patterns of SET/SPLIT/SOURCE/..., as in training")
    parser.add_argument("--cache", help="folder of unpacked recordings")
    options = parser.parse_args()
    options.quality = QUALITIES[options.codec] if options.quality is None else options.quality
    pack(options)


if __name__ == "__main__":
    main()
