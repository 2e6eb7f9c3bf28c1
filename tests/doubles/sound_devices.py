"""A module like `sounddevice` whose devices play what a test gives them, and keep what they get."""

import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest


class PortAudioError(Exception):
    """As of sounddevice."""


class CallbackAbort(Exception):
    """As of sounddevice."""


class CallbackStop(Exception):
    """As of sounddevice."""


DEVICES = [
    {"name": "Mixer", "max_input_channels": 2, "max_output_channels": 2},
    {"name": "Speaker", "max_input_channels": 0, "max_output_channels": 2},
]
NO_FLAGS = dict.fromkeys(
    ("input_overflow", "input_underflow", "output_overflow", "output_underflow"), False
)


class FakeDevices:
    """The module; `played` and `recorded` are the sound of its only stream.

    Args:
      recorded: `[time, channels]` that an input gives, then silence.
      gone_after: blocks after which the device stops to call.
      flags: number of a block to the flag that it has.
      then: called after the last block of `recorded`, in the thread of the stream.
    """

    PortAudioError, CallbackAbort, CallbackStop = PortAudioError, CallbackAbort, CallbackStop

    def __init__(self, recorded=None, *, gone_after=None, flags=None, then=None, rate_hz=44100):
        self.recorded = np.zeros((0, 2), np.float32) if recorded is None else recorded
        self.gone_after, self.flags, self.then = gone_after, flags or {}, then
        self.rate_hz, self.devices, self.played, self.opened = rate_hz, DEVICES, [], {}
        self.default = SimpleNamespace(device=(0, 1))
        for kind in ("Stream", "InputStream", "OutputStream"):
            setattr(self, kind, lambda kind=kind, **facts: _Stream(self, kind, **facts))

    def at_the_end(self):
        """Call `then` once; slow down, so that the command can react to it."""
        then, self.then = self.then, None
        if then:
            then()
        time.sleep(0.001)

    def query_devices(self):
        return [{**one, "default_samplerate": float(self.rate_hz)} for one in self.devices]


class _Stream:
    latency = (0.005, 0.006)

    def __init__(
        self, devices, kind, *, samplerate, blocksize, channels, callback, device, **facts
    ):
        devices.opened = {"kind": kind, "device": device, "block": blocksize, **facts}
        if samplerate != devices.rate_hz:
            raise PortAudioError("Error opening Stream: Invalid sample rate [PaErrorCode -9997]")
        names = [
            one
            for one in (device if isinstance(device, tuple) else (device,))
            if isinstance(one, str)
        ]
        for name in names:
            if not any(name in one["name"] for one in DEVICES):
                raise ValueError(f"No device matching {name!r}")
        self._devices, self._kind, self._callback = devices, kind, callback
        self._shape, self.active = (blocksize, channels), False
        self._thread = threading.Thread(target=self._call, daemon=True)
        self._closed = threading.Event()

    def start(self):
        self.active = True
        self._thread.start()

    def stop(self):
        self._thread.join()

    def close(self):
        self._closed.set()
        self._thread.join()

    def _call(self):
        devices, block = self._devices, self._shape[0]
        for number in range(5000):
            if self._closed.is_set() or number == devices.gone_after:
                break
            taken = np.zeros(self._shape, np.float32)
            some = devices.recorded[number * block : (number + 1) * block]
            taken[: len(some)] = some
            given = np.full(self._shape, 9.0, np.float32)
            flag = devices.flags.get(number)
            status = SimpleNamespace(**NO_FLAGS | ({flag: True} if flag else {}))
            arguments = {
                "Stream": (taken, given, block, None, status),
                "InputStream": (taken, block, None, status),
                "OutputStream": (given, block, None, status),
            }[self._kind]
            try:
                self._callback(*arguments)
            except CallbackStop:
                devices.played.append(given)
                break
            except CallbackAbort:
                break
            devices.played.append(given)
            if (number + 1) * block >= len(devices.recorded):
                devices.at_the_end()
        self.active = False


@pytest.fixture
def sound_devices(monkeypatch):
    """Return a function that puts `FakeDevices` in the place of `sounddevice`."""

    def put(*arguments, **named) -> FakeDevices:
        devices = FakeDevices(*arguments, **named)
        monkeypatch.setitem(sys.modules, "sounddevice", devices)
        return devices

    return put
