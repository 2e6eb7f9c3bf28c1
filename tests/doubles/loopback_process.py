"""A model server in its own process: `loopback_server.py`, or TF Serving's program if installed."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

BINARY = "tensorflow_model_server"
START_SECONDS = 120.0  # on a busy machine


def has_binary() -> bool:
    """Whether TF Serving itself is on the PATH."""
    return shutil.which(BINARY) is not None


class ServerProcess:
    """A server of one model on two free ports, which stay the same after a restart."""

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        binary: bool = False,
        faults: dict | None = None,
        seed: int = 0,
        workers: int = 4,
    ):
        """
        Args:
          name: of the model.
          folder: of the model, with its versions.
          binary: True starts TF Serving itself.
          faults: rates by kind, see `loopback_faults`.
          seed: of the faults.
          workers: number of requests at a time.
        """
        self.name, self.port, self.rest_port = name, *_free_ports(2)
        if binary:
            self._command = [
                BINARY,
                f"--model_name={name}",
                f"--model_base_path={Path(folder).resolve()}",
            ]
            self._command += [f"--port={self.port}", f"--rest_api_port={self.rest_port}"]
        else:
            tool = Path(__file__).with_name("loopback_server.py")
            self._command = [
                sys.executable,
                str(tool),
                "--model",
                f"{name}={folder}",
                "--port",
                str(self.port),
            ]
            self._command += ["--rest-api-port", str(self.rest_port), "--workers", str(workers)]
            self._command += ["--faults", json.dumps(faults or {}), "--seed", str(seed)]
        self._process: subprocess.Popen | None = None
        self.said = ""

    def start(self) -> "ServerProcess":
        """Start the server and wait until the model is loaded."""
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        self._process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, text=True, env=environment
        )
        end = time.monotonic() + START_SECONDS
        while not self.available():
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"the server did not start: {' '.join(self._command)}")
            time.sleep(0.05)
        return self

    @property
    def number(self) -> int:
        """The number of the process."""
        return self._process.pid

    def available(self) -> bool:
        """Whether the model is ready, by its status over REST."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.rest_port}/v1/models/{self.name}", timeout=5
            ) as answer:
                return json.load(answer)["model_version_status"][0]["state"] == "AVAILABLE"
        except (OSError, urllib.error.URLError, ValueError):
            return False

    def kill(self) -> None:
        """Stop the server at once, as when a machine fails."""
        if self._process is not None:
            self._process.kill()
            self.said += self._process.communicate()[0] or ""

    def stop(self) -> str:
        """Stop the server in an orderly way; returns all of its output."""
        self._process.terminate()
        try:
            self.said += self._process.communicate(timeout=30)[0] or ""
        except subprocess.TimeoutExpired:
            self.kill()
        return self.said

    def __enter__(self) -> "ServerProcess":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
