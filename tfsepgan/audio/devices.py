"""Sound devices: blocks from an input and to an output, through PortAudio.

The extra `live` installs `sounddevice`. PortAudio calls a function for each block, in its own
thread. `DeviceStream.check` raises its errors in the thread of the caller.

Source: https://python-sounddevice.readthedocs.io (streams, callback flags).
"""

import contextlib
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from tfsepgan.audio.formats import LOUDEST
from tfsepgan.errors import DataError

QUIET_SECONDS = 3.0  # without a call, after which a device counts as gone
FLAGS = ("input_overflow", "input_underflow", "output_overflow", "output_underflow")

Device = int | str | None
"""Number or name of a device, or a part of the name; None: the default of the system."""


def device_lines() -> list[str]:
    """Describe each device in a line: number, name, channels, rate.

    Raises: DataError when there is none, or PortAudio is missing.
    """
    library = _sounddevice()
    try:
        devices = list(library.query_devices())
        defaults = list(library.default.device)
    except library.PortAudioError as error:
        raise DataError(f"PortAudio cannot list the sound devices: {_reason(error)}") from error
    if not devices:
        raise DataError("PortAudio finds no sound device; connect one. Files work without it.")
    lines = []
    for number, one in enumerate(devices):
        inputs, outputs = one["max_input_channels"], one["max_output_channels"]
        ends = [f"{count} {end}" for count, end in ((inputs, "in"), (outputs, "out")) if count]
        roles = [
            role
            for role, default in zip(("input", "output"), defaults, strict=True)
            if default == number
        ]
        marked = f", default {' and '.join(roles)}" if roles else ""
        rate = f"{one['default_samplerate']:.0f} Hz"
        lines.append(f"{number:3} {one['name']}: {', '.join(ends)}, {rate}{marked}")
    return lines


class DeviceStream:
    """A context manager: a running stream that passes blocks through a function.

    Args:
      process: called for each block with `[block, channels]` float32, or None without an input
        device; returns as much for the output device, or None without one. Fewer samples end the
        stream.
      reads, writes: whether there is an input, an output device.
      devices: of input and output; only those that are used count.
      channels, sample_rate_hz, block: of the stream; `block` in samples.
    Raises: DataError when the devices cannot be opened.
    """

    def __init__(
        self,
        process: Callable[[np.ndarray | None], np.ndarray | None],
        *,
        reads: bool,
        writes: bool,
        devices: tuple[Device, Device],
        channels: int,
        sample_rate_hz: int,
        block: int,
    ):
        self._library, self._process = _sounddevice(), process
        self.xruns: Counter[str] = Counter()
        self.finished = self._computing = False
        self._error: BaseException | None = None
        callbacks = {
            (True, True): ("Stream", lambda i, o, count, when, status: self._block(i, o, status)),
            (True, False): ("InputStream", lambda i, count, when, s: self._block(i, None, s)),
            (False, True): ("OutputStream", lambda o, count, when, s: self._block(None, o, s)),
        }
        kind, callback = callbacks[reads, writes]
        used = devices if reads and writes else devices[not reads]
        facts = {"channels": channels, "samplerate": sample_rate_hz, "blocksize": block}
        facts |= {"dtype": "float32", "latency": "low", "device": used, "callback": callback}
        try:
            self._stream = getattr(self._library, kind)(**facts)
        except (self._library.PortAudioError, ValueError) as error:
            raise DataError(
                f"the sound device cannot be opened for {channels} channels at {sample_rate_hz} Hz:"
                f" {_reason(error)}. `tfsepgan-live --list-devices` shows the devices; the rate of"
                " one is set in the sound settings of the system."
            ) from error

    @property
    def latency_ms(self) -> float:
        """The latency of the devices and their buffers, as PortAudio reports it."""
        return 1000 * float(np.sum(self._stream.latency))

    def __enter__(self) -> "DeviceStream":
        self._called = time.monotonic()
        try:
            self._stream.start()
        except self._library.PortAudioError as error:
            self._stream.close()
            raise DataError(f"the sound device does not start: {_reason(error)}") from error
        return self

    def __exit__(self, *exception) -> None:
        with contextlib.suppress(self._library.PortAudioError):  # the device is gone
            if self.finished:
                self._stream.stop()  # plays what is in its buffers
            self._stream.close()

    def check(self) -> None:
        """Raise the error of the stream's thread, or DataError when the device is gone."""
        if self._error is not None:
            raise self._error
        quiet = 0.0 if self._computing else time.monotonic() - self._called
        if not self.finished and (quiet > QUIET_SECONDS or not self._stream.active):
            raise DataError("the sound device is gone; connect it and start again.")

    def _block(self, taken: np.ndarray | None, given: np.ndarray | None, status: Any) -> None:
        self._computing = True
        if status:
            self.xruns.update(flag for flag in FLAGS if getattr(status, flag))
        try:
            result = self._process(None if taken is None else self._checked(taken))
        except BaseException as error:
            self._error = error
            if given is not None:
                given.fill(0)
            raise self._library.CallbackAbort from error
        finally:
            self._computing, self._called = False, time.monotonic()
        if given is None or result is None:
            return
        given[: len(result)] = result
        if len(result) < len(given):
            given[len(result) :] = 0
            self.finished = True
            raise self._library.CallbackStop

    def _checked(self, taken: np.ndarray) -> np.ndarray:
        """A copy of the input; a block with NaN or huge samples is counted and becomes silence."""
        if np.abs(taken).max(initial=0.0) <= LOUDEST:  # false for NaN
            return taken.copy()
        self.xruns["broken_input_block"] += 1
        return np.zeros_like(taken)


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError as error:
        raise DataError(
            "sound devices need sounddevice, which is not installed: pip install 'tfsepgan[live]'."
            " Files work without it."
        ) from error
    except OSError as error:
        raise DataError(
            f"sounddevice cannot be loaded: {error}. It needs PortAudio, on Debian and Ubuntu:"
            " apt install libportaudio2. Files work without it."
        ) from error
    return sounddevice


def _reason(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
