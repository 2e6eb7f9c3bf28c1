"""What recordings sound like by numbers: levels, silence, clipping; read to their end, a block at a
time."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tfsepgan.audio.containers import STEM_SUFFIX
from tfsepgan.audio.decoding import probe
from tfsepgan.audio.recording import AudioFile

SILENCE_DB = -60.0  # as `DataConfig.silence_db`
_HOP_SECONDS = 0.25  # as in the cache's envelope
_FULL_SCALE = 1.0 - 2.0**-15  # the largest positive sample of 16 bits
_KINDS = {
    ".wav": ("WAV", "RF64", "W64", "wav"),
    ".flac": ("FLAC", "flac"),
    ".ogg": ("OGG",),
    ".mp3": ("mp3",),
    ".m4a": ("mov",),
}  # as libsndfile and FFmpeg call them
_USUAL_CHANNELS = 2
_USUAL_RATE_HZ = 192_000  # the highest of sound cards
_LONGEST_OGG_PAGE = 65_307
_CLIPPED_RUN = 3  # samples at full scale one after the other: no peak of music looks so


@dataclass
class Survey:
    """Numbers of one recording, or of several added up."""

    seconds: float = 0.0
    samples: int = 0
    energy: float = 0.0
    """Sum of the squares of all samples of all channels."""
    peak: float = 0.0
    hops: int = 0
    silent_hops: int = 0
    clipped_runs: int = 0
    """Times that a channel stays at full scale for three samples or more, a run of two blocks
    counting twice."""
    files: int = 0
    clipped_files: int = 0
    silent_files: list[str] = field(default_factory=list)
    """Names of those whose mean of channels is silent from end to end."""
    cancelled_files: list[str] = field(default_factory=list)
    """Names of those among them whose channels sound, and cancel out."""

    @property
    def level_db(self) -> float:
        """RMS in dB below full scale; minus infinity for digital silence."""
        return 10 * math.log10(self.energy / self.samples) if self.energy > 0 else -math.inf

    @property
    def peak_db(self) -> float:
        """Largest sample in dB below full scale; above zero where it is louder."""
        return 20 * math.log10(self.peak) if self.peak > 0 else -math.inf

    @property
    def silence(self) -> float:
        """Share of quarters of a second that are below SILENCE_DB, in [0, 1]."""
        return self.silent_hops / self.hops if self.hops else 0.0

    def add(self, other: "Survey") -> None:
        """Count in another one."""
        for name in (
            "seconds",
            "samples",
            "energy",
            "hops",
            "silent_hops",
            "clipped_runs",
            "files",
            "clipped_files",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.peak = max(self.peak, other.peak)
        self.silent_files += other.silent_files
        self.cancelled_files += other.cancelled_files


def survey(file: AudioFile) -> Survey:
    """Listen to a recording from end to end.

    Raises: DataError when it cannot be decoded, see `AudioFile.blocks`.
    """
    told = Survey(seconds=file.seconds, files=1)
    hop = max(1, round(_HOP_SECONDS * file.sample_rate_hz))
    rest = np.zeros(0, np.float32)
    for block in file.blocks(mono=False):
        told.samples += block.size
        told.energy += float(np.vdot(block, block))
        told.peak = max(told.peak, float(np.abs(block).max(initial=0.0)))
        told.clipped_runs += _clipped_runs(block)
        mono = np.concatenate([rest, block.mean(axis=1)])
        whole = len(mono) // hop * hop
        _count_hops(told, mono[:whole].reshape(-1, hop))
        rest = mono[whole:]
    if len(rest):
        _count_hops(told, rest[None])
    told.clipped_files = int(told.clipped_runs > 0)
    if told.silent_hops == told.hops:
        told.silent_files.append(file.name)
        if told.level_db > SILENCE_DB:
            told.cancelled_files.append(file.name)
    return told


def oddities(file: AudioFile) -> list[str]:
    """What is strange about a recording that can be used all the same: its format, its channels,
    its rate.

    Raises: DataError when its head cannot be read.
    """
    odd = []
    suffix = file.path.suffix.lower()
    info = probe(file.path, stream=file.stream)
    kind = "" if file.path.name.endswith(STEM_SUFFIX) else info.kind
    odd += info.notes
    if kind and suffix in _KINDS and not kind.startswith(_KINDS[suffix]):
        odd.append(f"holds {kind}, its name says {suffix}")
    if kind.startswith("OGG") and not _ogg_ends(file.path):
        odd.append("has no last page, so it may be cut short")
    if file.channels > _USUAL_CHANNELS:
        odd.append(f"has {file.channels} channels, whose mean is heard")
    if file.sample_rate_hz > _USUAL_RATE_HZ:
        odd.append(f"is at {file.sample_rate_hz} Hz")
    return odd


def _ogg_ends(path: Path) -> bool:
    """True when the last page of an Ogg file is marked as such (RFC 3533, section 6)."""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - _LONGEST_OGG_PAGE))
        tail = file.read()
    page = tail.rfind(b"OggS")
    return page >= 0 and len(tail) > page + 5 and bool(tail[page + 5] & 4)


def _count_hops(told: Survey, hops: np.ndarray) -> None:
    told.hops += len(hops)
    told.silent_hops += int(np.sum(np.mean(np.square(hops), axis=1) < 10 ** (SILENCE_DB / 10)))


def _clipped_runs(block: np.ndarray) -> int:
    """How many runs of _CLIPPED_RUN samples or more at full scale begin in a block `[time,
    channels]`."""
    full = np.abs(block) >= _FULL_SCALE
    if not full.any():
        return 0
    run = full[: len(full) - _CLIPPED_RUN + 1].copy()
    for shift in range(1, _CLIPPED_RUN):
        run &= full[shift : len(full) - _CLIPPED_RUN + 1 + shift]
    return int(run[:1].sum() + (run[1:] & ~run[:-1]).sum())
