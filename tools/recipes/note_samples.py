"""Sampled notes: where they begin, how loud they are, how they are shortened and cut."""

import json
from pathlib import Path

import numpy as np
import soundfile

LONGEST_SECONDS = 12.0  # after that, a held piano note is inaudible in music
FADE_SECONDS = 1.0
PEAK = 0.9
ATTACK_SECONDS = 0.5  # over which the level of a sampled note is measured
SPRITE_GAP = 512  # samples at the end of each note of a sprite, not used by its player either
TAPER_SECONDS = 0.02  # at the end of a sample from a longer file


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


def attack(path: Path) -> tuple[float, float]:
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


def peak(path: Path) -> float:
    return float(
        np.abs(soundfile.read(path, dtype="float32", always_2d=True, frames=200_000)[0]).max()
    )
