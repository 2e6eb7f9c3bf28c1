"""Synthesizers: fluidsynth as a separate program, or tinysoundfont as a library.

Both play without reverberation, which the augmentation adds. Both have a time limit, because
damaged soundfonts and scores can keep a synthesizer busy forever.
"""

import functools
import math
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from importlib import metadata, util
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile

from tfsepgan.errors import DataError
from tfsepgan.rendering.midi import BEGIN, CONTROL, DRUM_CHANNEL, events, write_midi
from tfsepgan.rendering.score import PITCH_WHEEL, Part

_POLL_SECONDS = 0.02
_BYTES_PER_FRAME = 8  # two channels of float32
_TOO_LONG = 1.5  # a file longer than its score by this factor and _SLACK_SECONDS will not end
_SLACK_SECONDS = 30.0
_GAIN = 1.0  # floating point does not clip, and soft notes stay far above silence
_CENTRE = 8192
_LONGEST_BLOCK = 1 << 16  # frames of tinysoundfont between two checks of the time limit


class Task(NamedTuple):
    """Parts to be played together, all with the program of the first."""

    parts: Sequence[Part]
    soundfont: Path
    seconds: float
    sample_rate_hz: int
    limit_seconds: float

    @property
    def frames(self) -> int:
        """Length of the sound in samples for each channel."""
        return round(self.seconds * self.sample_rate_hz)


def find_synthesizer(wanted: str) -> str:
    """Name of the synthesizer to use.

    Args:
      wanted: 'auto', 'fluidsynth' or 'tinysoundfont'.
    Raises: DataError that says what to install when it is missing.
    """
    installed = {
        "fluidsynth": shutil.which("fluidsynth"),
        "tinysoundfont": util.find_spec("tinysoundfont"),
    }
    names = list(installed) if wanted == "auto" else [wanted]
    for name in names:
        if installed[name]:
            return name
    raise DataError(
        f"No synthesizer: {' and '.join(names)} not found. Install fluidsynth (apt-get install"
        " fluidsynth, brew install fluid-synth) or pip install --no-deps tinysoundfont"
    )


@functools.lru_cache(maxsize=4)
def version(name: str) -> str:
    """A synthesizer's name and version; other versions may give other samples."""
    if name == "tinysoundfont":
        return f"{name} {metadata.version(name)}"
    try:
        output = subprocess.run(
            [name, "--version"], capture_output=True, text=True, timeout=20, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise DataError(f"fluidsynth does not start: {error}. Install it again.") from error
    lines = [line for line in output.splitlines() if "version" in line.lower()]
    return f"{name} {lines[0].split()[-1]}" if lines else name


def play(name: str, task: Task) -> np.ndarray:
    """Synthesize a task.

    Args:
      name: 'fluidsynth' or 'tinysoundfont'.
      task: what to play.
    Returns: float32 `[frames, 2]`, not scaled.
    Raises: DataError when the synthesizer fails, exceeds its time limit, or gives NaN or infinity.
    """
    sound = _fluidsynth(task) if name == "fluidsynth" else _tinysoundfont(task)
    if not np.isfinite(sound).all():
        raise DataError(f"{name} made NaN or infinite samples with {task.soundfont}.")
    exact = np.zeros((task.frames, 2), np.float32)
    exact[: min(len(sound), task.frames)] = sound[: task.frames]
    return exact


def _fluidsynth(task: Task) -> np.ndarray:
    with tempfile.TemporaryDirectory(prefix="tfsepgan-render-") as folder:
        score, sound, log_file = (Path(folder, name) for name in ("score.mid", "sound.wav", "log"))
        write_midi(score, task.parts, seconds=task.seconds)
        command = [
            *("fluidsynth", "-n", "-i", "-q", "-R", "0", "-C", "0"),
            *("-g", str(_GAIN), "-O", "float"),
            *("-o", "synth.dynamic-sample-loading=1", "-o", "synth.cpu-cores=1"),
            *("-r", str(task.sample_rate_hz)),
            *("-F", str(sound), str(task.soundfont), str(score)),
        ]
        with open(log_file, "wb") as log:
            try:
                streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
                process = subprocess.Popen(command, **streams)
            except OSError as error:
                raise DataError(
                    f"fluidsynth does not start ({error.strerror}). Install it again."
                ) from error
            try:
                _wait(process, sound, task)
            finally:
                if process.poll() is None:
                    process.kill()
                process.wait()
        if process.returncode:
            lines = log_file.read_text(errors="replace").strip().splitlines() or ["no message"]
            raise DataError(f"fluidsynth failed with exit code {process.returncode}: {lines[-1]}")
        try:
            return soundfile.read(sound, frames=task.frames, dtype="float32", always_2d=True)[0]
        except (soundfile.SoundFileError, RuntimeError) as error:
            raise DataError(f"fluidsynth wrote no sound ({error}).") from error


def _wait(process: subprocess.Popen, sound: Path, task: Task) -> None:
    """Wait for fluidsynth to end, up to limits of time and file size."""
    longest = (_TOO_LONG * task.seconds + _SLACK_SECONDS) * task.sample_rate_hz * _BYTES_PER_FRAME
    end = time.monotonic() + task.limit_seconds
    while process.poll() is None:
        if time.monotonic() > end:
            raise DataError(
                f"fluidsynth took longer than {task.limit_seconds:g} s (--time-limit-seconds)."
            )
        if sound.exists() and sound.stat().st_size > longest:
            raise DataError(
                f"fluidsynth does not end: {task.seconds:.0f} s were expected. The score may be"
                " damaged."
            )
        time.sleep(_POLL_SECONDS)


def _tinysoundfont(task: Task) -> np.ndarray:
    import tinysoundfont

    end = time.monotonic() + task.limit_seconds
    try:
        synth = tinysoundfont.Synth(samplerate=task.sample_rate_hz)
        font = synth.sfload(str(task.soundfont))
        all_events = events(task.parts)
        for channel in {event.channel for event in all_events}:
            synth.program_select(channel, font, 0, task.parts[0].program, channel == DRUM_CHANNEL)
        blocks, made = [], 0
        for event in [*all_events, None]:
            until = math.inf if event is None else round(event.time * task.sample_rate_hz)
            until = min(task.frames, until)
            while made < until:
                size = min(until - made, _LONGEST_BLOCK)
                block = np.frombuffer(synth.generate_simple(size), np.float32)
                blocks.append(block.reshape(-1, 2).copy())
                made += size
                if time.monotonic() > end:
                    raise DataError(
                        f"tinysoundfont took longer than {task.limit_seconds:g} s"
                        " (--time-limit-seconds)."
                    )
            if event is not None:
                _send(synth, event)
    except (RuntimeError, tinysoundfont.SoundFontException) as error:
        raise DataError(
            f"tinysoundfont cannot play {task.soundfont} ({error}). Leave it out."
        ) from error
    return np.concatenate(blocks) if blocks else np.zeros((0, 2), np.float32)


def _send(synth, event) -> None:
    if event.kind == BEGIN:
        synth.noteon(event.channel, event.number, event.value)
    elif event.kind != CONTROL:
        synth.noteoff(event.channel, event.number)
    elif event.number == PITCH_WHEEL:
        synth.pitchbend(event.channel, event.value + _CENTRE)
    else:
        synth.control_change(event.channel, event.number, event.value)
