"""An interpreter with JAX, if there is one, and a pack of small recordings."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tools_for_tests import TOOLS

from tfsepgan.config import DataConfig
from tfsepgan.data.batches.unpacked import Recording, envelope_hop

REPOSITORY = TOOLS.parent
JAX_TOOLS = TOOLS / "jax"
JAX_PYTHON = os.environ.get("TFSEPGAN_JAX_PYTHON") or (
    sys.executable if importlib.util.find_spec("jax") else None
)
with_jax = pytest.mark.skipif(
    JAX_PYTHON is None,
    reason="jax is not installed, and TFSEPGAN_JAX_PYTHON names no Python that has it",
)
RATE_HZ, WINDOW, BATCH = 4000, 1024, 16
DATA = DataConfig(
    sample_rate_hz=RATE_HZ,
    window=WINDOW,
    batch=BATCH,
    law="snr",
    snr_db=(-8.0, 8.0),
    gain_db=(-6.0, 18.0),
    rests=0.2,
    songs=0.3,
    balance="folders",
)


def run(python, code, *arguments, **environment):
    place = {
        "PYTHONPATH": os.pathsep.join(map(str, (REPOSITORY, JAX_TOOLS))),
        "OMP_NUM_THREADS": "1",
        "JAX_PLATFORMS": "cpu",
    }
    done = subprocess.run(
        [python, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **place, **environment},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def packed_recordings():
    """Two pianos, three others and two songs, made of noise at several levels, as a pack."""
    random = np.random.default_rng(5)
    lengths = (9000, 3000, 7000, 800, 5000, 4000, 4000, 4000, 6000, 6000)
    samples = np.concatenate(
        [random.normal(0, 3000 * (1 + k % 4), n) for k, n in enumerate(lengths)]
    )
    samples = np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
    first, hop = np.cumsum([0, *lengths]), envelope_hop(RATE_HZ)
    recordings = []
    for number, frames in enumerate(lengths):
        own = samples[first[number] : first[number + 1]].astype(np.float64) / 32768
        levels = [np.mean(own[start : start + hop] ** 2) for start in range(0, frames, hop)]
        recordings.append(
            Recording(
                name=f"{number}",
                variant=0,
                path=Path("none"),
                frames=frames,
                scale=2.0**-15,
                envelope=np.array(levels, np.float32),
            )
        )
    made = {
        "recordings": recordings,
        "sample_rate_hz": RATE_HZ,
        "groups": ((0, 1, 5, 8), (2, 3), (4, 6, 7, 9)),
        "tracks": (((0, 5), (-1, 6), (-1, 7)), ((0, 8), (-1, 9))),
        "folders": [0, 1, 2, 2, 3, 4, 3, 3, 4, 3],
        "track_folders": [0, 0],
        "joined": True,
    }
    return samples, first[:-1], made
