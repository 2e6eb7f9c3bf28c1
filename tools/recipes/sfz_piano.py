"""Converts SFZ pianos, and folders of sampled notes, to SF2 soundfonts for any synthesizer.

    python tools/recipes/sfz_piano.py sfz "Splendid Grand Piano.sfz" splendid.sf2 \\
        --title "Splendid Grand Piano"
    python tools/recipes/sfz_piano.py salamander FOLDER salamander.sf2 \\
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
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile
from rich.console import Console
from soundfont_writer import Zone, to_pcm16, write_soundfont

LONGEST_SECONDS = 12.0  # after that, a held piano note is inaudible in music
FADE_SECONDS = 1.0
PEAK = 0.9
ATTACK_SECONDS = 0.5  # over which the level of a sampled note is measured
SPRITE_GAP = 512  # samples at the end of each note of a sprite, not used by its player either
TAPER_SECONDS = 0.02  # at the end of a sample from a longer file
NOTES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
HEADERS = ("control", "global", "master", "group", "region", "curve", "effect", "midi")
NOTE = re.compile(r"([a-g])([#sb]?)(-?\d+)")
OPCODE = re.compile(r"(?:^|\s)([A-Za-z_]\w*)=")


def expanded(path: Path, defines: dict[str, str] | None = None, root: Path | None = None) -> str:
    """The text of an SFZ file with includes and defines resolved; defines apply to what follows."""
    defines = {} if defines is None else defines
    root = path.parent if root is None else root
    text = re.sub(r"//[^\n]*", "", path.read_text(encoding="utf-8", errors="replace"))
    out = []
    for word in re.split(r'(#define\s+\$\w+\s+\S+|#include\s+"[^"]+")', text):
        if word.startswith("#define"):
            _, name, value = word.split(maxsplit=2)
            defines[name] = _filled(value, defines)
        elif word.startswith("#include"):
            out.append(expanded(root / _filled(word.split('"')[1], defines), defines, root))
        else:
            out.append(_filled(word, defines))
    return "".join(out)


def _filled(text: str, defines: dict[str, str]) -> str:
    for name in sorted(defines, key=len, reverse=True):  # $DYN2 before $DYN
        text = text.replace(name, defines[name])
    return text


def regions(text: str) -> Iterator[dict[str, str]]:
    """The opcodes of every region, with those inherited from its headers."""
    levels: dict[str, dict[str, str]] = {}
    inherits = ("control", "global", "master", "group")
    for header, body in re.findall(r"<(\w+)>([^<]*)", text):
        opcodes = _opcodes(body)
        if header in inherits:
            levels[header] = (
                {**levels.get(header, {}), **opcodes} if header == "control" else opcodes
            )
            for lower in inherits[inherits.index(header) + 1 :]:
                if header != "control":
                    levels.pop(lower, None)
        elif header == "region":
            yield {
                key: value for level in inherits for key, value in levels.get(level, {}).items()
            } | opcodes


def _opcodes(body: str) -> dict[str, str]:
    """`key=value` pairs; a value, with spaces, ends at the next key or the end of the line."""
    found = {}
    for row in body.splitlines():
        places = list(OPCODE.finditer(row))
        for place, after in zip(places, [*places[1:], None], strict=False):
            found[place[1]] = row[place.end() : after.start() if after else len(row)].strip()
    return found


def sounds_by_itself(region: dict[str, str]) -> bool:
    """False for regions of a pedal, a controller, a key release or alternating takes."""
    if region.get("trigger", "attack") not in ("attack", "first") or "sample" not in region:
        return False
    if int(region.get("seq_position", 1)) > 1 or float(region.get("lorand", 0)) > 0:
        return False
    for key, value in region.items():
        if key.startswith("locc"):
            number = key[4:]
            if float(value) > max(
                float(region.get(f"set_cc{number}", 0)),
                127 * float(region.get(f"set_hdcc{number}", 0)),
            ):
                return False
    return True


def pitch(word: str) -> int:
    """A MIDI number, or the name of a note with its octave, such as c#4 or cs4 (60 is c4)."""
    if re.fullmatch(r"-?\d+", word):
        return int(word)
    name = NOTE.fullmatch(word.lower())
    return NOTES[name[1]] + {"": 0, "#": 1, "s": 1, "b": -1}[name[2]] + 12 * (int(name[3]) + 1)


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
        _peak(file) * 10 ** (volume / 20) for file, volume in zip(files, volumes, strict=True)
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
    loudest = max(_peak(path) for _, _, path in found)
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
        named = {pitch(path.stem): path for path in sorted(folder.iterdir()) if _is_note(path.stem)}
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
        levels, peaks = np.array([_attack(path) for path in named.values()]).T
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


def begin(samples: np.ndarray, lead: int) -> int:
    """The begin of a note: `lead` samples before it first exceeds a hundredth of its peak."""
    size = np.abs(samples).max(axis=1)
    return max(0, int(np.argmax(size > 0.01 * size.max())) - lead)


def cut_sprites(folder: Path, output: Path) -> None:
    """Cut long files of consecutive notes into one file per note, named by MIDI number.

    Args:
      folder: holds NAME.ogg and index.json, with `[[note, samples], ...]` for each NAME.
    """
    output.mkdir(parents=True, exist_ok=True)
    for name, notes in json.loads((folder / "index.json").read_text()).items():
        samples, rate_hz = soundfile.read(folder / f"{name}.ogg", dtype="float32", always_2d=True)
        taper = np.linspace(1, 0, round(TAPER_SECONDS * rate_hz), dtype=np.float32)[:, None]
        ends = np.cumsum([length for _, length in notes])
        for (note, length), end in zip(notes, ends, strict=True):
            sample = samples[end - length : end - SPRITE_GAP].copy()
            sample[-len(taper) :] *= taper
            soundfile.write(output / f"{note}.wav", sample, rate_hz, subtype="FLOAT")


def _nearest_keys(root: int, roots: Sequence[int]) -> tuple[int, int]:
    """The keys that are nearest to this sample in its layer."""
    roots = sorted(roots)
    at = roots.index(root)
    low = 0 if at == 0 else (roots[at - 1] + root) // 2 + 1
    return low, 127 if at == len(roots) - 1 else (root + roots[at + 1]) // 2


def _is_note(word: str) -> bool:
    return bool(re.fullmatch(r"\d+", word) or NOTE.fullmatch(word.lower()))


def _attack(path: Path) -> tuple[float, float]:
    """RMS of the first half second of a note, and its peak, dBFS."""
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    size = np.abs(samples).max(axis=1)
    begins = int(np.argmax(size > 0.1 * size.max()))
    attack = samples[begins : begins + round(ATTACK_SECONDS * rate_hz)]
    return tuple(
        20 * np.log10(max(value, 1e-9)) for value in (np.sqrt(np.mean(attack**2)), size.max())
    )


def shortened(samples: np.ndarray, rate_hz: int) -> np.ndarray:
    """At most LONGEST_SECONDS, faded out where it was cut."""
    longest, fade = round(LONGEST_SECONDS * rate_hz), round(FADE_SECONDS * rate_hz)
    if len(samples) <= longest:
        return samples
    samples = samples[:longest].copy()
    samples[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    return samples


def _peak(path: Path) -> float:
    return float(
        np.abs(soundfile.read(path, dtype="float32", always_2d=True, frames=200_000)[0]).max()
    )


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
