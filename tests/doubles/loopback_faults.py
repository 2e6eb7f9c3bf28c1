"""Faults between a client and a server, on purpose: for `loopback_server.py` and load tests."""

import contextlib
import random
import socket
import struct
import threading
from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True, kw_only=True)
class FaultRates:
    """The share of requests with each fault; all others get a correct reply."""

    slow: float = 0.0  # the reply is delayed by `slow_seconds`
    slow_seconds: float = 5.0
    exhausted: float = 0.0  # RESOURCE_EXHAUSTED in place of a reply
    # part of the reply is missing: samples, a stem, or the end of the message
    truncated: float = 0.0
    altered: float = 0.0  # one stem has other samples than the model's

    @property
    def kinds(self) -> dict[str, float]:
        """Rates by kind."""
        return {
            one.name: getattr(self, one.name) for one in fields(self) if one.name != "slow_seconds"
        }


class Faults:
    """Draws faults; the same seed draws the same ones."""

    def __init__(self, rates: FaultRates, seed: int = 0):
        self.rates, self._random, self._lock = rates, random.Random(seed), threading.Lock()

    def draw(self) -> str | None:
        """The fault of the next request, or None."""
        with self._lock:
            place = self._random.random()
            for kind, rate in self.rates.kinds.items():
                place -= rate
                if place < 0:
                    return kind
        return None

    def choose(self, options):
        """One of several."""
        with self._lock:
            return self._random.choice(list(options))


def altered(stem: np.ndarray) -> np.ndarray:
    """A changed stem: 0.001 is added to its second half, or to WAV files a new last sample."""
    if stem.dtype == object:
        changed = [one[:-4] + struct.pack("<f", 0.25) for one in stem.reshape(-1)]
        return np.array([*changed, None], object)[:-1].reshape(stem.shape)
    stem = stem.copy()
    stem[:, stem.shape[1] // 2 :] += np.float32(1e-3)
    return stem


class Relay:
    """A TCP relay that resets connections after a random number of bytes."""

    def __init__(self, target_port: int, *, mean_bytes: float, seed: int = 0):
        """
        Args:
          target_port: of the server, on this machine.
          mean_bytes: mean number of bytes before a reset; 0 resets no connection.
        """
        self._target, self._mean, self._random = target_port, mean_bytes, random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.dropped = self._listener.getsockname()[1], 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Accept no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self._target), timeout=5)
                far.settimeout(None)
            except OSError:  # the server is not running
                near.close()
                continue
            left = [self._random.expovariate(1 / self._mean) if self._mean else float("inf")]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(
                    target=self._forward, args=(source, sink, left), daemon=True
                ).start()

    def _forward(self, source: socket.socket, sink: socket.socket, left: list[float]) -> None:
        try:
            while data := source.recv(1 << 16):
                left[0] -= len(data)
                if left[0] < 0:
                    self.dropped += 1
                    for one in (source, sink):
                        # closing then sends a reset
                        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
