"""What tests of several parts share: a folder of synthesized tones, and a tiny model that the
command trained on it."""

import contextlib
import errno
import gc
import io
import json
import os
import shutil
import signal
from dataclasses import dataclass, replace
from pathlib import Path

# before NumPy: pytest has a process for each core, from which waiting threads of OpenBLAS take time
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
import soundfile
from filelock import FileLock
from recordings_for_tests import write_noise

pytest_plugins = ["processor_times"]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before anything imports TensorFlow
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell starts background jobs so, and the processes of the tests would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

RATE = 16000
SECONDS = 3


def pytest_collection_finish(session):
    """Spare the garbage collector what stays to the end: TensorFlow, and thousands of tests."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module", autouse=True)
def spare_the_collector():
    """A run collects garbage several times: it need not walk what earlier modules left."""
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk():
    """No power is cut between two tests; a test of a full disk replaces `os.fsync` itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def in_this_process():
    """Exports are converted and tracks are scored in this process, see `processes_for_tests`."""
    from processes_for_tests import here

    with here():
        yield


@pytest.fixture
def in_processes():
    """Exports are converted and tracks are scored in other processes, as the package does."""
    from processes_for_tests import in_processes

    with in_processes():
        yield


@pytest.fixture(scope="session", autouse=True)
def undrawn_pictures():
    """Pictures are files of one pixel, see `pictures_for_tests`."""
    from pictures_for_tests import undrawn

    with undrawn():
        yield


@pytest.fixture
def drawn_pictures():
    """Pictures are drawn, as the package does."""
    from pictures_for_tests import drawn

    with drawn():
        yield


@pytest.fixture
def step_by_step():
    """Functions run eagerly, also those of a command that trains."""
    from eager_for_tests import eagerly

    with eagerly():
        yield


@pytest.fixture(scope="session", autouse=True)
def user_cache(tmp_path_factory):
    """A cache of the session's own, so that no test reads or fills the user's."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture
def write():
    """Writes noise: write(path, seconds, seed=, rate_hz=, channels=, level=)."""
    return write_noise


@pytest.fixture
def close(monkeypatch):
    """A context in which a folder cannot be read, whoever runs the tests: root reads any."""

    @contextlib.contextmanager
    def closed(folder: Path):
        def refusing(function):
            def call(path=".", *rest):
                if os.path.realpath(path) == os.path.realpath(folder):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
                return function(path, *rest)

            return call

        with monkeypatch.context() as patch:
            for name in ("scandir", "listdir"):
                patch.setattr(os, name, refusing(getattr(os, name)))
            yield folder

    return closed


def tone(number: int, *, harmonics: int, seconds: float = SECONDS) -> np.ndarray:
    """A pulsing harmonic tone over a little noise, as a room has it, `[time]`; its pitch follows
    from the number."""
    time = np.arange(round(seconds * RATE)) / RATE
    pitch_hz = 110.0 * 2 ** (number * 5 % 24 / 12)
    wave = sum(np.sin(2 * np.pi * pitch_hz * k * time) / k for k in range(1, harmonics + 1))
    noise = 0.01 * np.random.default_rng(number).standard_normal(len(time))
    return (0.15 * wave * (1.2 + np.sin(2 * np.pi * (2 + 0.1 * number) * time)) + noise).astype(
        np.float32
    )


def write_tones(directory: Path) -> Path:
    """A data folder in the unpaired layout: two pianos and two flutes to train on, one of each to
    choose and test."""
    number = 0
    for split, count in (("train", 2), ("valid", 1), ("test", 1)):
        for source, harmonics in (("piano", 6), ("flute", 2)):
            folder = directory / split / source
            folder.mkdir(parents=True)
            for _ in range(count):
                number += 1
                soundfile.write(
                    folder / f"{source}{number}.wav", tone(number, harmonics=harmonics), RATE
                )
    return directory


@pytest.fixture(scope="session")
def made_once(tmp_path_factory, worker_id):
    """Makes a folder once for all workers: `made_once(name, make)` calls `make(folder)` in the
    first worker that asks, and returns the folder."""
    root = tmp_path_factory.getbasetemp()
    root = root if worker_id == "master" else root.parent

    def once(name: str, make) -> Path:
        folder, complete = root / "shared" / name, root / "shared" / f"{name}.complete"
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f"{name}.lock"):
            if not complete.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                complete.touch()
        return folder

    return once


@pytest.fixture(scope="session")
def tones(made_once) -> Path:
    """A data folder of synthesized tones; not to be written to."""
    return made_once("tones", write_tones)


@pytest.fixture(scope="session")
def tiny(tones):
    """Gives the preset `tiny` on the tones, with settings changed by name, the networks' too."""
    from tfsepgan.settings.ssepgan import PRESETS

    def experiment(*, generator=None, discriminator=None, model=None, data=None, **training):
        base = PRESETS["tiny"]
        model = dict(model or {})
        if generator:
            model["generator"] = replace(base.model.generator, **generator)
        if discriminator:
            model["discriminator"] = replace(base.model.discriminator, **discriminator)
        training = {
            "validation_mixtures": 1,
            "validation_seconds": 0.5,
            "tensorboard": False,
            **training,
        }
        return replace(
            base,
            model=replace(base.model, **model),
            data=replace(base.data, **{"data": str(tones), **(data or {})}),
            training=replace(base.training, **training),
        )

    return experiment


@dataclass(frozen=True, kw_only=True)
class TrainedRun:
    """What one `tfsepgan-train` left behind."""

    directory: Path
    arguments: tuple[str, ...]
    exit_code: int
    said: str

    @property
    def model(self) -> Path:
        """The run's best model."""
        return self.directory / "model"


@pytest.fixture(scope="session")
def trained_run(tones, made_once) -> TrainedRun:
    """A tiny run from the command to the exported model: 8 steps in 2 epochs. Shared by all
    workers, so not to be changed."""

    def train(folder: Path) -> None:
        made = train_tiny(tones, folder / "tiny")
        facts = {"arguments": made.arguments, "exit_code": made.exit_code, "said": made.said}
        (folder / "facts.json").write_text(json.dumps(facts))

    folder = made_once("trained_run", train)
    facts = json.loads((folder / "facts.json").read_text())
    return TrainedRun(directory=folder / "tiny", **facts)


def train_tiny(tones: Path, directory: Path) -> TrainedRun:
    from pictures_for_tests import drawn

    from tfsepgan.cli.train import main

    arguments = [
        *("--preset", "tiny", "--data", str(tones), "--run", str(directory)),
        *(
            "--validation-mixtures",
            "1",
            "--validation-seconds",
            "0.5",
            "--test-mixtures",
            "1",
            "--test-seconds",
            "2",
        ),
    ]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), drawn():
        exit_code = main(arguments)
    return TrainedRun(
        directory=directory, arguments=tuple(arguments), exit_code=exit_code, said=said.getvalue()
    )
