"""Folders of sampled notes or drum kits as zones of a soundfont, found by the names of their files.

A pattern is a regular expression, searched in a file's path within the folder, ignoring case. Its
group `note` is the pitch (c#4, Bb2, 60); its optional group `layer` is the dynamic. Files without a
match (round robins, noises, releases, other microphones) are not used.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile
from note_samples import PEAK, begin, shortened
from scipy.signal import butter, resample_poly, sosfilt
from sfz_piano import layered_zones
from sfz_text import pitch
from soundfont_writer import Zone, to_pcm16

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff")
LEAD_SECONDS = 0.002  # kept of the silence before a note
MOST_LAYERS = 5  # of a drum; more make no audible difference
LAYER_STEP_DB = 3.0  # between layers; a synthesizer also lowers soft notes
HATS = (42, 44, 46)  # keys of a hi-hat: each stops the others
TIGHT_HZ, CABINET_HZ = 110.0, [70.0, 5000.0]  # the band of a guitar's loudspeaker
ATTACK_SECONDS = 0.05
FARTHEST_CENTS, NO_PITCH, HIGHEST_HZ = 90.0, 999.0, 6000.0
OCTAVE_HIGH = 0.001  # energy of odd over even harmonics; less means the octave above
IN_TUNE_CENTS = 6.0  # smaller errors are not corrected
OVERSAMPLED, LOPSIDED = 4, 0.2
DRUM_RELEASE_SECONDS = 5.0  # a stroke sounds on after its key


def files(folder: Path) -> list[Path]:
    """Every recording below a folder, in the order of their names."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise SystemExit(
            f"{folder} holds no recordings. Download them with tools/recipes/get_sources.py."
        )
    return found


def pattern_zones(
    folder: Path,
    pattern: str,
    *,
    layers: Sequence[str] = (),
    octaves: int = 0,
    keys: tuple[int, int] = (0, 127),
    release_seconds: float = 0.3,
    drive_db: float = 0.0,
    tune: bool = True,
) -> Iterator[Zone]:
    """The zones of one instrument.

    Args:
      layers: values of the group `layer`, the softest first; none: one layer.
      octaves: added to the notes, for folders with another numbering.
      keys: range of notes; others are left out.
      drive_db: gain of a distorting amplifier, for electric guitars and basses; 0: none.
      tune: correct samples that are out of tune; not for pianos, whose tuning is intended.
    """
    found: dict[str, dict[int, Path]] = {layer: {} for layer in layers or ("",)}
    for path in files(folder):
        match = re.search(pattern, path.relative_to(folder).as_posix(), re.IGNORECASE)
        if not match:
            continue
        layer = match.groupdict().get("layer", "").lower() if layers else ""
        root = pitch(match["note"]) + 12 * octaves
        if layer in found and keys[0] <= root <= keys[1]:
            found[layer].setdefault(root, path)
    used = [dict(sorted(named.items())) for named in found.values() if named]
    if not used:
        raise SystemExit(f"No file in {folder} has a name like {pattern}.")
    tops = [round(127 * (number + 1) / len(used)) for number in range(len(used) - 1)]
    return layered_zones(
        used,
        tops=tops,
        step_db=LAYER_STEP_DB,
        release_seconds=release_seconds,
        lead_seconds=LEAD_SECONDS,
        tuning=tuning_correction if tune else None,
        effect=(lambda samples, rate_hz: driven(samples, rate_hz, drive_db)) if drive_db else None,
    )


def tuning_correction(samples: np.ndarray, rate_hz: int, key: int) -> int:
    """Cents that correct a sample `[time, channels]`; 0 if it is in tune or has no pitch."""
    off = cents_off(samples.mean(axis=1), rate_hz, key)
    return 0 if off == NO_PITCH or abs(off) < IN_TUNE_CENTS else -round(off)


def driven(samples: np.ndarray, rate_hz: int, drive_db: float) -> np.ndarray:
    """A guitar through a valve amplifier and cabinet: filter, soft clipper at 4 x rate, filter.

    Args:
      samples: `[time, channels]`, peaks below one.
      drive_db: gain before the clipper, which is slightly asymmetric, for even harmonics.
    Returns: the same shape, its peak PEAK.
    """
    highs = butter(2, TIGHT_HZ, "highpass", fs=rate_hz, output="sos")
    cabinet = butter(4, CABINET_HZ, "bandpass", fs=rate_hz, output="sos")
    tight = resample_poly(sosfilt(highs, samples, axis=0), OVERSAMPLED, 1, axis=0)
    clipped = resample_poly(
        np.tanh(10 ** (drive_db / 20) * tight + LOPSIDED) - np.tanh(LOPSIDED),
        1,
        OVERSAMPLED,
        axis=0,
    )
    loud = sosfilt(cabinet, clipped[: len(samples)], axis=0)
    return (loud * PEAK / max(np.abs(loud).max(), 1e-9)).astype(np.float32)


def kit_zones(
    folder: Path,
    pieces: Mapping[tuple[int, ...], str],
    *,
    microphones: Sequence[str] = (),
    gains_db: Mapping = {},
) -> Iterator[Zone]:
    """The zones of a drum kit, with the recorded levels of its pieces.

    Args:
      pieces: a pattern for the keys of each; matching files are its layers, ordered by level.
      microphones: folders with the same names; patterns are for the first, and all are summed.
      gains_db: of some pieces, by their first key.
    """
    strokes = {}
    everything = files(folder)
    for keys, pattern in pieces.items():
        names = [
            path
            for path in everything
            if re.search(pattern, path.relative_to(folder).as_posix(), re.IGNORECASE)
        ]
        if not names:
            raise SystemExit(f"No file in {folder} has a name like {pattern}.")
        taken = [_stroke(path, microphones) for path in names]
        taken.sort(key=lambda stroke: float(np.sum(stroke[0][: stroke[1] // 5] ** 2)))
        chosen = np.unique(
            np.linspace(0, len(taken) - 1, min(len(taken), MOST_LAYERS)).round().astype(int)
        )
        strokes[keys] = [taken[number] for number in chosen]
    gains = {keys: 10 ** (gains_db.get(keys[0], 0.0) / 20) for keys in strokes}
    loudest = max(gains[keys] * _peak(layers[-1][0]) for keys, layers in strokes.items())
    for keys, layers in strokes.items():
        top = gains[keys] * _peak(layers[-1][0]) * PEAK / loudest
        for number, (samples, rate_hz) in enumerate(layers):
            level = top * 10 ** (-LAYER_STEP_DB * (len(layers) - 1 - number) / 20)
            pcm = to_pcm16(shortened(samples * np.float32(level / _peak(samples)), rate_hz))
            edges = [round(128 * at / len(layers)) for at in (number, number + 1)]
            for key in keys:
                yield Zone(
                    samples=pcm,
                    rate_hz=rate_hz,
                    root=key,
                    keys=(key, key),
                    velocities=(edges[0], edges[1] - 1),
                    release_seconds=DRUM_RELEASE_SECONDS,
                    chokes=1 if key in HATS else 0,
                )


def _stroke(path: Path, microphones: Sequence[str]) -> tuple[np.ndarray, int]:
    """A stroke as `[time, 1 or 2]` without the silence before it, and its rate."""
    places = [path] + [Path(str(path).replace(microphones[0], other)) for other in microphones[1:]]
    read = [soundfile.read(place, dtype="float32", always_2d=True) for place in places]
    rate_hz = read[0][1]
    frames = min(len(samples) for samples, _ in read)
    wide = max(min(2, samples.shape[1]) for samples, _ in read)
    added = sum(np.broadcast_to(samples[:frames, :wide], (frames, wide)) for samples, _ in read)
    return added[begin(added, round(LEAD_SECONDS * rate_hz)) :], rate_hz


def _peak(samples: np.ndarray) -> float:
    return float(max(np.abs(samples).max(), 1e-9))


def cents_off(note: np.ndarray, rate_hz: int, key: int) -> float:
    """Deviation of a note's harmonics from their pitch: the median, weighted by energy.

    Args:
      note: `[time]`; its first second is used, without the attack.
      key: its nominal MIDI pitch.
    Returns: cents; NO_PITCH where the strongest partial is no harmonic of that pitch, or all are of
      the octave above.
    """
    note = note[round(ATTACK_SECONDS * rate_hz) : rate_hz]
    size = 1 << 18
    step, hz = rate_hz / size, 440 * 2 ** ((key - 69) / 12)
    power = np.abs(np.fft.rfft(note * np.hanning(len(note)), size)) ** 2
    strongest = (
        int(np.argmax(power[round(30 / step) : round(5000 / step)])) + round(30 / step)
    ) * step
    ratio = strongest / hz
    if abs(1200 * np.log2(ratio / max(1, round(ratio)))) > FARTHEST_CENTS:
        return NO_PITCH
    odd, even = (
        sum(
            float(
                power[round(hz * harmonic * 0.96 / step) : round(hz * harmonic * 1.04 / step)].sum()
            )
            for harmonic in harmonics
        )
        for harmonics in ((1, 3, 5), (2, 4, 6))
    )
    if odd < OCTAVE_HIGH * even:
        return NO_PITCH
    offs, weights = [], []
    for harmonic in range(1, 7):
        low, high = (
            round(hz * harmonic * 2 ** (cents / 1200) / step)
            for cents in (-FARTHEST_CENTS, FARTHEST_CENTS)
        )
        if high * step > HIGHEST_HZ and offs:
            break
        near = power[low : high + 1]
        top = int(np.argmax(near))
        if 0 < top < len(near) - 1:
            offs.append(1200 * np.log2((low + top) * step / (hz * harmonic)))
            weights.append(near[top])
    if not offs:
        return NO_PITCH
    order = np.argsort(offs)
    passed = np.cumsum(np.array(weights)[order])
    return float(np.array(offs)[order][np.searchsorted(passed, passed[-1] / 2)])
