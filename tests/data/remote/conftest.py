"""Batch servers in this process, and short waiting times."""

import threading

import pytest
from remote_for_tests import stop

from tfsepgan.data.recordings.catalogue import scan
from tfsepgan.data.remote import client, server
from tfsepgan.data.remote.server import BatchServer


@pytest.fixture
def serving(unpaired, tmp_path, monkeypatch):
    """Starts servers of the unpaired recordings in this process: serving(**server arguments)."""
    monkeypatch.setattr(server, "_ANSWER_SECONDS", 60.0)  # also on a busy machine
    servers = []

    def start(*, of=unpaired, **changes) -> BatchServer:
        def recordings(sources, leave_out):
            return scan(of, sources=sources, leave_out=leave_out)

        settings = {"port": 0, "cache": str(tmp_path / "cache"), **changes}
        servers.append(BatchServer(recordings, **settings))
        threading.Thread(target=servers[-1].serve_forever, args=(0.05,), daemon=True).start()
        return servers[-1]

    yield start
    for one in servers:
        stop(one)


@pytest.fixture
def quick(monkeypatch):
    """Shortens all waiting times from seconds to fractions of a second."""
    monkeypatch.setattr(client, "PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(client, "_PAUSE_SECONDS", 0.1)
