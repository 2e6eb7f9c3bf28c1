"""Converts SFZ pianos, and folders of sampled notes, to SF2 soundfonts for any synthesizer.

    python tools/recipes/sfz_piano.py sfz "Splendid Grand Piano.sfz" splendid.sf2 \
        --title "Splendid Grand Piano"
    python tools/recipes/sfz_piano.py salamander FOLDER salamander.sf2 \
        --title "Salamander Grand Piano V3"
    # FOLDER/A#3.wav, FOLDER/Bb3.flac ...
    python tools/recipes/sfz_piano.py notes FOLDER upright.sf2 --title "Upright"

It reads the part of SFZ that sampled pianos need: `#include`, `#define`, `<control> default_path`,
global, master, group and region headers; sample, key, lokey, hikey, pitch_keycenter, lovel, hivel,
volume, group_volume, tune, offset, loop_mode, loop_start, loop_end, ampeg_release, cutoff. Regions
that only a controller or the release of a key starts (resonance, noises) are left out, and so is
everything else: envelopes, pans, effects.
Source: https://sfzformat.com (opcodes and headers).
"""

import argparse
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile
from note_samples import PEAK, attack, begin, peak, shortened
from rich.console import Console
from sfz_text import expanded, is_note, pitch, regions, sounds_by_itself
from soundfont_writer import Zone, to_pcm16, write_soundfont


def sfz_zones(
    path: Path,
    *,
    without: str = "",
    stretched: bool = False,
    defines: Mapping[str, str] | None = None,
) -> Iterator[Zone]:
    """The zones of an SFZ piano.

    Args:
      without: text in names of samples to leave out, such as a second pair of microphones.
      stretched: the lowest sample plays the keys below, the highest those above.
      defines: definitions that the file needs, such as `{"$EXT": "flac"}`.
    """
    found = [
        region
        for region in regions(expanded(path, dict(defines or {})))
        if sounds_by_itself(region)
    ]
    found = [region for region in found if not without or without not in region["sample"]]
    volumes = [
        float(region.get("volume", 0)) + float(region.get("group_volume", 0)) for region in found
    ]
    files = [
        path.parent
        / (
            region.get("default_path", (defines or {}).get("default_path", "")) + region["sample"]
        ).replace("\\", "/")
        for region in found
    ]
    loudest = max(
        peak(file) * 10 ** (volume / 20) for file, volume in zip(files, volumes, strict=True)
    )
    spans = [_span(region) for region in found]
    lowest, highest = min(low for low, _ in spans), max(high for _, high in spans)
    for region, (low, high), volume, file in zip(found, spans, volumes, files, strict=True):
        key = region.get("key")
        if stretched:
            low, high = 0 if low == lowest else low, 127 if high == highest else high
        samples, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
        offset = int(region.get("offset", 0))
        samples = samples[offset:, :2] * np.float32(PEAK / loudest * 10 ** (volume / 20))
        loops = region.get("loop_mode", "no_loop").startswith("loop") and "loop_start" in region
        yield Zone(
            samples=to_pcm16(samples if loops else shortened(samples, rate_hz)),
            rate_hz=rate_hz,
            root=pitch(region.get("pitch_keycenter", key or "60")),
            keys=(low, high),
            velocities=(int(region.get("lovel", 0)), int(region.get("hivel", 127))),
            loop=(int(region["loop_start"]) - offset, int(region["loop_end"]) + 1 - offset)
            if loops
            else None,
            release_seconds=float(region.get("ampeg_release", 0.4)),
            cutoff_hz=float(region["cutoff"]) if "cutoff" in region else None,
            cents=int(float(region.get("tune", 0))),
        )


def _span(region: dict[str, str]) -> tuple[int, int]:
    """The lowest and the highest key of a region."""
    key = region.get("key")
    return pitch(region.get("lokey", key or "0")), pitch(region.get("hikey", key or "127"))


def salamander_zones(folder: Path) -> Iterator[Zone]:
    """The zones of Salamander: files named D#4v10 (note, layer of 16), anywhere below a folder."""
    named = [
        (re.fullmatch(r"([A-G]#?)(\d)v(\d+)", path.stem), path)
        for path in sorted(folder.rglob("*v*.*"))
    ]
    found = sorted((int(name[3]), pitch(name[1] + name[2]), path) for name, path in named if name)
    layers = sorted({layer for layer, _, _ in found})
    tops = [round(127 * (one + two) / 32) for one, two in zip(layers, layers[1:], strict=False)] + [
        127
    ]
    bottoms = [0, *(top + 1 for top in tops[:-1])]
    loudest = max(peak(path) for _, _, path in found)
    for layer, root, path in found:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
        number = layers.index(layer)
        yield Zone(
            samples=to_pcm16(shortened(samples * np.float32(PEAK / loudest), rate_hz)),
            rate_hz=rate_hz,
            root=root,
            keys=_nearest_keys(root, [other for there, other, _ in found if there == layer]),
            velocities=(bottoms[number], tops[number]),
            release_seconds=0.4,
        )


def note_zones(
    layers: Sequence[Path],
    *,
    tops: Sequence[int] = (),
    step_db: float = 4.0,
    roots: tuple[int, int] = (0, 127),
) -> Iterator[Zone]:
    """The zones of folders of notes, one for each layer; files are named A#3, Bb3, As3 or 58.

    A key without a sample plays the nearest one. The levels of a folder's samples (of their first
    half second, in dB) are set to a curve of second degree over pitch, because some were recorded
    or edited louder than their neighbours. Layers are then `step_db` apart; a synthesizer also
    lowers soft notes.

    Args:
      layers: folders, the softest first.
      tops: the highest velocity of each layer but the last.
      roots: range of notes; samples outside, for example out of tune, are left out.
    """
    found = []
    for folder in layers:
        named = {pitch(path.stem): path for path in sorted(folder.iterdir()) if is_note(path.stem)}
        found.append(
            {root: path for root, path in sorted(named.items()) if roots[0] <= root <= roots[1]}
        )
        if not found[-1]:
            raise SystemExit(
                f"{folder} holds no samples with names of notes, such as A#3.wav. "
                "Use another folder."
            )
    return layered_zones(found, tops=tops, step_db=step_db)


def layered_zones(
    layers: Sequence[dict[int, Path]],
    *,
    tops: Sequence[int] = (),
    step_db: float = 4.0,
    release_seconds: float = 0.4,
    lead_seconds: float | None = None,
    tuning: Callable[[np.ndarray, int, int], int] | None = None,
    effect: Callable[[np.ndarray, int], np.ndarray] | None = None,
) -> Iterator[Zone]:
    """The zones of sampled notes: files by MIDI pitch, one dictionary per layer.

    See `note_zones`.

    Args:
      lead_seconds: length of the silence before a note to keep; None keeps all.
      tuning: gives the cents to add, from samples, rate and pitch.
      effect: function of samples at PEAK and their rate; the peak of its output is at most one.
    """
    bottoms = [0, *(top + 1 for top in tops)]
    for number, (named, bottom, top) in enumerate(zip(layers, bottoms, [*tops, 127], strict=True)):
        levels, peaks = np.array([attack(path) for path in named.values()]).T
        keys = np.array(list(named))
        gains = np.polyval(np.polyfit(keys, levels, 2 if len(keys) > 2 else 0), keys) - levels
        gains += 20 * np.log10(PEAK) - np.max(peaks + gains) - step_db * (len(layers) - 1 - number)
        for (root, path), gain in zip(named.items(), gains, strict=True):
            samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
            if lead_seconds is not None:
                samples = samples[begin(samples, round(lead_seconds * rate_hz)) :]
            samples = shortened(samples[:, :2] * np.float32(10 ** (gain / 20)), rate_hz)
            yield Zone(
                samples=to_pcm16(effect(samples, rate_hz) if effect else samples),
                rate_hz=rate_hz,
                root=root,
                keys=_nearest_keys(root, list(named)),
                velocities=(bottom, top),
                release_seconds=release_seconds,
                cents=tuning(samples, rate_hz, root) if tuning else 0,
            )


def _nearest_keys(root: int, roots: Sequence[int]) -> tuple[int, int]:
    """The keys that are nearest to this sample in its layer."""
    roots = sorted(roots)
    at = roots.index(root)
    low = 0 if at == 0 else (roots[at - 1] + root) // 2 + 1
    return low, 127 if at == len(roots) - 1 else (root + roots[at + 1]) // 2


def main() -> int:
    """Read the command line and convert."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=("sfz", "salamander", "notes"))
    parser.add_argument("source", type=Path, help="an .sfz file, or a folder of samples")
    parser.add_argument("output", type=Path, help="the .sf2 file to write")
    parser.add_argument("--title", required=True)
    parser.add_argument("--copyright", default="", help="licence text in the file")
    parser.add_argument("--without", default="", help="leave out samples with this in their names")
    arguments = parser.parse_args()
    if arguments.kind == "sfz":
        zones = sfz_zones(arguments.source, without=arguments.without)
    else:
        salamander = arguments.kind == "salamander"
        zones = salamander_zones(arguments.source) if salamander else note_zones([arguments.source])
    scratch = arguments.output.with_suffix(".part")
    try:
        count = write_soundfont(
            scratch, zones, title=arguments.title, copyright=arguments.copyright
        )
        scratch.replace(arguments.output)
    finally:
        scratch.unlink(missing_ok=True)
    Console().print(
        f"{count} zones, {arguments.output.stat().st_size / 1e6:.0f} MB: {arguments.output}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
