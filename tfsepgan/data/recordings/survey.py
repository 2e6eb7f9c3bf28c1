"""Statistics of recordings: levels, silence and clipping, computed block by block."""

import math
from dataclasses import dataclass, field, fields
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
}  # container names of libsndfile and FFmpeg
_USUAL_CHANNELS = 2
_USUAL_RATE_HZ = 192_000  # the highest rate of sound cards
_LONGEST_OGG_PAGE = 65_307
_CLIPPED_RUN = 3  # consecutive samples at full scale: peaks of unclipped music are shorter


@dataclass
class Survey:
    """Statistics of one recording, or the sum over several."""

    seconds: float = 0.0
    samples: int = 0
    energy: float = 0.0
    """Sum of the squares of all samples of all channels."""
    peak: float = 0.0
    hops: int = 0
    silent_hops: int = 0
    clipped_runs: int = 0
    """Runs of three or more samples at full scale in one channel.

    A run across two blocks counts twice.
    """
    files: int = 0
    clipped_files: int = 0
    silent_files: list[str] = field(default_factory=list)
    """Names of files whose channel mean is silent from start to end."""
    cancelled_files: list[str] = field(default_factory=list)
    """Names of the silent files whose channels are not silent but cancel out."""
    notes: list[str] = field(default_factory=list)
    """What decoding found in a usable recording; not summed."""

    @property
    def level_db(self) -> float:
        """RMS in dB relative to full scale; minus infinity for digital silence."""
        return 10 * math.log10(self.energy / self.samples) if self.energy > 0 else -math.inf

    @property
    def peak_db(self) -> float:
        """Largest sample in dB relative to full scale; above zero if it exceeds full scale."""
        return 20 * math.log10(self.peak) if self.peak > 0 else -math.inf

    @property
    def silence(self) -> float:
        """Share of quarter seconds below SILENCE_DB, in [0, 1]."""
        return self.silent_hops / self.hops if self.hops else 0.0

    def add(self, other: "Survey") -> None:
        """Add the statistics of another recording."""
        for name in {item.name for item in fields(self)} - {"peak", "notes"}:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.peak = max(self.peak, other.peak)


def survey(file: AudioFile) -> Survey:
    """Measure a recording from start to end.

    Raises: DataError when it cannot be decoded, see `AudioFile.blocks`.
    """
    total = Survey(seconds=file.seconds, files=1)
    hop = max(1, round(_HOP_SECONDS * file.sample_rate_hz))
    pending = np.zeros(0, np.float32)  # less than a hop, from the end of the previous block
    for block in file.blocks(mono=False, notes=total.notes):
        total.samples += block.size
        total.energy += float(np.vdot(block, block))
        total.peak = max(total.peak, float(np.abs(block).max(initial=0.0)))
        total.clipped_runs += _clipped_runs(block)
        mono = np.concatenate([pending, block.mean(axis=1)])
        whole = len(mono) // hop * hop
        _count_hops(total, mono[:whole].reshape(-1, hop))
        pending = mono[whole:]
    if len(pending):
        _count_hops(total, pending[None])
    total.clipped_files = int(total.clipped_runs > 0)
    if total.silent_hops == total.hops:
        total.silent_files.append(file.name)
        if total.level_db > SILENCE_DB:
            total.cancelled_files.append(file.name)
    return total


def oddities(file: AudioFile) -> list[str]:
    """What is unusual about a usable recording: its format, channels or sample rate.

    Raises: DataError when its header cannot be read.
    """
    odd = []
    suffix = file.path.suffix.lower()
    info = probe(file.path, stream=file.stream)
    kind = "" if file.path.name.endswith(STEM_SUFFIX) else info.kind
    odd += info.notes
    if kind and suffix in _KINDS and not kind.startswith(_KINDS[suffix]):
        odd.append(f"contains {kind}, but its suffix is {suffix}")
    if kind.startswith("OGG") and not _ogg_ends(file.path):
        odd.append("has no last page, so it may be truncated")
    if file.channels > _USUAL_CHANNELS:
        odd.append(f"has {file.channels} channels, which are averaged")
    if file.sample_rate_hz > _USUAL_RATE_HZ:
        odd.append(f"is at {file.sample_rate_hz} Hz")
    return odd


def _ogg_ends(path: Path) -> bool:
    """True when the last page of an Ogg file is marked as the last (RFC 3533, section 6)."""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - _LONGEST_OGG_PAGE))
        tail = file.read()
    page = tail.rfind(b"OggS")
    return page >= 0 and len(tail) > page + 5 and bool(tail[page + 5] & 4)


def _count_hops(total: Survey, hops: np.ndarray) -> None:
    total.hops += len(hops)
    total.silent_hops += int(np.sum(np.mean(np.square(hops), axis=1) < 10 ** (SILENCE_DB / 10)))


def _clipped_runs(block: np.ndarray) -> int:
    """How many runs of at least _CLIPPED_RUN samples at full scale begin in `[time, channels]`."""
    full = np.abs(block) >= _FULL_SCALE
    if not full.any():
        return 0
    run = full[: len(full) - _CLIPPED_RUN + 1].copy()
    for shift in range(1, _CLIPPED_RUN):
        run &= full[shift : len(full) - _CLIPPED_RUN + 1 + shift]
    return int(run[:1].sum() + (run[1:] & ~run[:-1]).sum())
