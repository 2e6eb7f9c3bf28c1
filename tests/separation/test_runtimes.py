"""NumPy, LiteRT and TensorFlow give the same stems; the first two need no TensorFlow."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile

import tfsepgan
from tfsepgan.errors import CheckpointError, ConfigError
from tfsepgan.models.folders import read_manifest, shipped_models
from tfsepgan.separation import runtimes
from tfsepgan.separation.runtimes import choose_runtime

PIANO = shipped_models()["piano"]
RATE_HZ = 44100


def music(seconds: float, channels: int = 2) -> np.ndarray:
    rng = np.random.default_rng(1)
    time = np.arange(round(seconds * RATE_HZ))[:, None] / RATE_HZ
    tones = np.sin(2 * np.pi * 55 * 2 ** (rng.integers(0, 50, (1, 6)) / 12) * time) @ rng.normal(
        size=(6, channels)
    )
    return (0.1 * tones + rng.normal(0, 0.01, (len(time), channels))).astype(np.float32)


@pytest.mark.parametrize(("channels", "block_seconds"), [(1, 25.0), (2, 25.0), (3, 7.0)])
def test_all_runtimes_give_the_same_stems(channels, block_seconds):
    mixture = music(16.3 if block_seconds == 7.0 else 5.1, channels)
    stems = {
        runtime: (
            tfsepgan.load("piano", runtime=runtime, block_seconds=block_seconds).separate(
                mixture, RATE_HZ
            )
        )
        for runtime in ("numpy", "litert", "tensorflow")
    }
    for name, samples in stems["tensorflow"].items():
        np.testing.assert_allclose(stems["numpy"][name], samples, rtol=0, atol=3e-6)
        np.testing.assert_allclose(stems["litert"][name], samples, rtol=0, atol=1e-5)
    assert np.abs(stems["litert"]["piano"]).max() > 0.01


@pytest.mark.parametrize("runtime", ["numpy", "litert"])
def test_blocks_equal_one_pass(runtime):
    mixture = music(14.0, 1)
    whole = tfsepgan.load("piano", runtime=runtime, block_seconds=20.0).separate(mixture, RATE_HZ)
    blocks = tfsepgan.load("piano", runtime=runtime, block_seconds=6.2).separate(mixture, RATE_HZ)
    np.testing.assert_allclose(blocks["piano"], whole["piano"], rtol=0, atol=2e-6)


def test_auto_chooses_the_first_runtime_that_can_run_the_model(tmp_path, monkeypatch):
    manifest = read_manifest(PIANO)
    assert choose_runtime("auto", PIANO, manifest) == "numpy"
    assert choose_runtime("auto", PIANO, manifest, seconds=1e6) == "numpy"
    learned = {**manifest.network_settings, "learnable": True}
    manifest = dataclasses.replace(manifest, network_settings=learned)
    assert choose_runtime("auto", PIANO, manifest) == "litert"
    assert choose_runtime("auto", PIANO, manifest, seconds=200.0) == "litert"
    long = 2 * runtimes.LONG_SECONDS
    assert choose_runtime("auto", PIANO, manifest, seconds=long) == "tensorflow"
    assert choose_runtime("auto", tmp_path, manifest) == "tensorflow"
    with pytest.raises(CheckpointError, match="run by NumPy: its filters are learned"):
        choose_runtime("numpy", PIANO, manifest)
    with pytest.raises(
        CheckpointError, match=r"it has no piano\.tflite, which tfsepgan-export writes"
    ):
        choose_runtime("litert", tmp_path, manifest)
    with pytest.raises(
        ConfigError, match="got runtime 'onnx'; wanted one of auto, numpy, litert, tensorflow"
    ):
        choose_runtime("onnx", PIANO, manifest)


def test_auto_does_not_choose_a_library_that_is_not_installed(monkeypatch):
    missing = {"tensorflow", "h5py"}
    real = runtimes.find_spec
    monkeypatch.setattr(runtimes, "find_spec", lambda name: None if name in missing else real(name))
    assert choose_runtime("auto", PIANO, read_manifest(PIANO), seconds=1e6) == "litert"


@pytest.mark.parametrize("runtime", ["numpy", "litert"])
def test_threads_may_share_a_separator(runtime):
    separator = tfsepgan.load("piano", runtime=runtime)
    mixtures = [np.roll(music(4.0), 999 * number, 0) for number in range(3)]
    alone = [separator.separate(mixture, RATE_HZ) for mixture in mixtures]
    with ThreadPoolExecutor(3) as pool:
        together = list(
            pool.map(lambda mixture: separator.separate(mixture, RATE_HZ), 2 * mixtures)
        )
    for stems, expected in zip(together, 2 * alone, strict=True):
        np.testing.assert_array_equal(stems["piano"], expected["piano"])


FORKED = """
import os, pickle, signal, sys
import numpy as np
import tfsepgan
separator = tfsepgan.load("piano", runtime=sys.argv[1])
mixture = np.random.default_rng(0).normal(0, 0.1, (44100, 2)).astype(np.float32)
before = separator.separate(mixture, 44100)["piano"]
copy = pickle.loads(pickle.dumps(separator))
assert np.array_equal(copy.separate(mixture, 44100)["piano"], before)
child = os.fork()
if child == 0:
    signal.alarm(15)
    os._exit(0 if np.array_equal(separator.separate(mixture, 44100)["piano"], before) else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork on this system")
@pytest.mark.parametrize("runtime", ["numpy", "litert"])
def test_a_separator_works_after_a_fork_and_can_be_pickled(runtime):
    called = [sys.executable, "-c", FORKED, runtime]
    subprocess.run(called, check=True, capture_output=True, text=True)


def copied(folder: Path) -> Path:
    folder.mkdir()
    for name in ("manifest.json", "model.keras", "piano.tflite"):
        shutil.copy(PIANO / name, folder / name)
    return folder


@pytest.mark.parametrize(
    ("runtime", "name"), [("numpy", "model.keras"), ("litert", "piano.tflite")]
)
def test_a_file_that_was_changed_is_refused(runtime, name, tmp_path):
    folder = copied(tmp_path / "piano")
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(
        CheckpointError,
        match=rf"{name} is not the file that its manifest\.json describes: its SHA-256",
    ):
        tfsepgan.load(folder, runtime=runtime)


def test_a_file_of_another_model_is_refused(tmp_path):
    folder = copied(tmp_path / "piano")
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["export"]["files"]
    manifest["sources"] = ["violin"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(CheckpointError, match=r"piano\.tflite does not belong to the model in"):
        tfsepgan.load(folder, runtime="litert")


COMMAND = """
import sys
import time
from tfsepgan.cli.separate import main
code = main(sys.argv[1:])
heavy = {"tensorflow", "keras", "sklearn", "matplotlib", "pandas", "museval", "jax", "torch"}
print("heavy", sorted(heavy & {name.split(".")[0] for name in sys.modules}), "code", code)
"""


def test_the_command_separates_without_tensorflow(tmp_path):
    soundfile.write(tmp_path / "song.flac", music(3.0), RATE_HZ)
    called = [
        sys.executable,
        "-c",
        COMMAND,
        str(tmp_path / "song.flac"),
        "--output",
        str(tmp_path / "out"),
    ]
    done = subprocess.run(called, capture_output=True, text=True, check=True)
    assert "heavy [] code" in done.stdout
    assert sorted(path.name for path in (tmp_path / "out" / "song").iterdir()) == [
        "piano.wav",
        "residual.wav",
    ]


def test_the_command_counts_the_length_of_a_recording_once(tmp_path, monkeypatch):
    from tfsepgan.cli.separate import main
    from tfsepgan.separation import files

    soundfile.write(tmp_path / "song.wav", music(1.0), RATE_HZ)
    real, counted = files.length_of, []
    monkeypatch.setattr(files, "length_of", lambda one: counted.append(one.path) or real(one))
    assert main([str(tmp_path / "song.wav"), "--output", str(tmp_path / "out")]) == 0
    assert counted == [tmp_path / "song.wav"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_command_stopped_by_a_signal_leaves_no_file(tmp_path, number):
    soundfile.write(tmp_path / "song.wav", np.tile(music(30.0), (6, 1)), RATE_HZ)
    called = [
        sys.executable,
        "-m",
        "tfsepgan.cli.separate",
        str(tmp_path / "song.wav"),
        "--output",
        str(tmp_path / "out"),
    ]
    process = subprocess.Popen(called, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while (
        not list(tmp_path.glob("out/song/.*.part"))
        and process.poll() is None
        and time.monotonic() < deadline
    ):
        time.sleep(0.02)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors.strip()) == (130, f"Stopped by {number.name}.")
    assert not (tmp_path / "out").exists()
