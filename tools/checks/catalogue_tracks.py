"""Short tracks of mixed formats, rates and lengths for `check_catalogue.py`, and unusable ones."""

from pathlib import Path

import numpy as np
import soundfile

KINDS = ("wav", "float.wav", "flac", "ogg", "mp3", "aiff", "m4a", "opus")
RATES_HZ = (8000, 16000, 22050, 32000, 44100, 48000)
SHORTEST, LONGEST = 0.3, 8.0  # seconds
BAD = ("empty", "text", "cut wav", "cut flac", "nan", "no samples", "noise mp3", "broken m4a")


def sound(random: np.random.Generator, seconds: float, rate_hz: int, channels: int) -> np.ndarray:
    """A few tones over noise, `[time, channels]`, different at each call."""
    time_seconds = np.arange(max(1, round(seconds * rate_hz)))[:, None] / rate_hz
    pitches = random.uniform(80, rate_hz / 5, (4, 1, channels))
    tones = np.sin(2 * np.pi * pitches * time_seconds).sum(axis=0)
    return 0.1 * tones + 0.03 * random.standard_normal(tones.shape)


def write_good(path: Path, kind: str, random: np.random.Generator) -> float:
    """Write a track; returns its seconds."""
    seconds = float(np.exp(random.uniform(np.log(SHORTEST), np.log(LONGEST))))
    rate_hz, channels = int(random.choice(RATES_HZ)), int(random.integers(1, 3))
    rate_hz = 48000 if kind == "opus" else rate_hz
    samples = sound(random, seconds, rate_hz, channels)
    if kind in ("m4a", "opus"):
        from tfsepgan.audio.encodings import StemFormat, open_encoder

        form = StemFormat(name=kind)
        encoder = open_encoder(path, form, rate_hz=rate_hz, channels=channels)
        encoder.write(samples.astype(np.float32))
        encoder.close()
    else:
        subtype = {"float.wav": "FLOAT", "wav": "PCM_16", "aiff": "PCM_24"}.get(kind)
        soundfile.write(path, samples, rate_hz, subtype=subtype)
    return seconds


def write_bad(path: Path, kind: str, random: np.random.Generator) -> None:
    """Write a file that cannot be separated."""
    samples = sound(random, 1.0, 16000, 1)
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("no sound\n")
    elif kind in ("nan", "no samples"):
        samples[500] = np.nan
        soundfile.write(
            path, samples[: 0 if kind == "no samples" else None], 16000, subtype="FLOAT"
        )
    elif kind.startswith("cut"):
        soundfile.write(path, samples, 16000)
        path.write_bytes(path.read_bytes()[:9000])
    else:
        path.write_bytes(random.bytes(20_000))


def make_tracks(music: Path, tracks: int, bad: int, seed: int) -> tuple[dict[Path, float], set]:
    """Write the folder; returns the seconds of the good tracks, and the bad ones."""
    random = np.random.default_rng(seed)
    places = random.permutation(tracks)
    good, unusable = {}, set()
    for number in range(tracks):
        folder = music / f"album {number % 7}"
        folder.mkdir(parents=True, exist_ok=True)
        if places[number] < bad:
            kind = BAD[len(unusable) % len(BAD)]
            suffix = {"cut flac": "flac", "noise mp3": "mp3", "broken m4a": "m4a"}.get(kind, "wav")
            path = folder / f"track {number:04}.{suffix}"
            write_bad(path, kind, random)
            unusable.add(path)
        else:
            kind = KINDS[number % len(KINDS)]
            path = folder / f"track {number:04}.{kind.split('.')[-1]}"
            good[path] = write_good(path, kind, random)
    return good, unusable
