"""The JAX trainer takes the steps of S-SepGAN on TensorFlow, on mixtures like the pipeline's.

Tests with JAX need it beside TensorFlow, or an interpreter with it in TFSEPGAN_JAX_PYTHON.
"""

import importlib.util
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tools_for_tests import TOOLS, from_tools

from tfsepgan import systems
from tfsepgan.config import DataConfig
from tfsepgan.data.batches.draws import draw_plan
from tfsepgan.data.batches.pipeline import mix_batch
from tfsepgan.data.batches.pool import Pool
from tfsepgan.data.batches.unpacked import Recording, envelope_hop
from tfsepgan.models.saved import open_model

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

BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] in {"tensorflow", "tensorflow_io", "soundfile", "soxr"}:
            raise ModuleNotFoundError(f"{name} is blocked")
sys.meta_path.insert(0, Blocked())
import importlib
for name in sys.argv[1].split(","):
    importlib.import_module(name)
print("imported")
"""
WITHOUT_KERAS = (
    "config",
    "files",
    "systems",
    "settings.ssepgan",
    "models.folders",
    "data.batches.draws",
    "data.batches.mixing_laws",
    "data.augment.effects",
)
WITH_KERAS = (
    "networks.table",
    "models.bundle",
    "losses.reconstruction",
    "systems.identity",
    "systems.learning_rate",
)
TOOLS_WITH_KERAS = ("jax_pack", "jax_batches", "jax_trainer", "jax_state", "train_on_jax")


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


def test_drawing_and_mixing_need_no_tensorflow_and_no_readers():
    names = ",".join(f"tfsepgan.{name}" for name in WITHOUT_KERAS)
    assert run(sys.executable, BLOCKED, names).strip() == "imported"


@with_jax
def test_networks_losses_and_the_trainer_need_no_tensorflow():
    names = ",".join([*(f"tfsepgan.{name}" for name in WITH_KERAS), *TOOLS_WITH_KERAS])
    assert run(JAX_PYTHON, BLOCKED, names, KERAS_BACKEND="jax").strip() == "imported"


@pytest.mark.parametrize("codec", ["vorbis", "lapped"])
def test_a_pack_keeps_its_recordings_and_its_draws(codec, tmp_path):
    jax_pack = from_tools("jax_pack")
    samples, first, made = packed_recordings()
    ends = [*first[1:], len(samples)]
    levels = np.random.default_rng(0).uniform(0.1, 0.5, len(ends))
    tone = np.sin(np.arange(len(samples)) * 0.3) * np.repeat(
        levels, np.diff([*first, len(samples)])
    )
    quality = {"vorbis": 0.5, "lapped": 20.0}[codec]
    coded = [
        (
            f"{number % 2}.pack",
            jax_pack.encode(tone[start:end].astype(np.float32), RATE_HZ, codec, quality),
        )
        for number, (start, end) in enumerate(zip(first, ends, strict=True))
    ]
    made["recordings"] = [replace(recording, scale=0.5) for recording in made["recordings"]]
    written = jax_pack.write_pack(tmp_path, made, coded, {"sources": ["piano"], "codec": codec})
    assert written == sum(path.stat().st_size for path in tmp_path.iterdir()) < 2 * len(samples)
    packed = jax_pack.read_pack(tmp_path)
    for number, (start, end) in enumerate(zip(first, ends, strict=True)):
        got = packed.samples[start:end] * packed.pool.recordings[number].scale
        error = got - 0.5 * tone[start:end]
        assert 10 * np.log10(np.mean((0.5 * tone[start:end]) ** 2) / np.mean(error**2)) > 12
    pool = Pool(sources=1, **{**made, "track_folders": np.array(made["track_folders"])})
    for one, two in zip(
        draw_plan(pool, DATA, 3).draws, draw_plan(packed.pool, DATA, 3).draws, strict=True
    ):
        np.testing.assert_array_equal(one, two)


def test_a_folder_without_a_pack_is_refused(tmp_path):
    from tfsepgan.errors import DataError

    with pytest.raises(DataError, match="is no pack that can be read .* tools/jax/pack_for_jax.py"):
        from_tools("jax_pack").read_pack(tmp_path)


def test_short_folders_are_whole_and_long_ones_of_one_length():
    even_limit = from_tools("pack_for_jax").even_limit
    assert even_limit([1.0, 10.0, 20.0], 11.0) == 5.0
    assert even_limit([1.0, 2.0], 3.5) == float("inf")


MIX = """
import json, sys
import jax, numpy as np
sys.path.insert(0, sys.argv[2])
from dataclasses import replace
from pathlib import Path
from jax_batches import Shape, batch_of, plan_of, response_of, tables_of
from jax_pack import Packed
from tfsepgan.config import AugmentConfig, DataConfig, from_dict
from tfsepgan.data.batches.unpacked import Recording
from tfsepgan.data.batches.pool import Pool
here = Path(sys.argv[1])
settings = json.loads((here / "settings.json").read_text())
saved = np.load(here / "pack.npz")
recordings = [
    Recording(name=str(k), variant=0, path=Path("none"), frames=n, scale=2.0**-15,
              envelope=saved[f"levels{k}"])
    for k, n in enumerate(settings["frames"])
]
pool = Pool(recordings, sources=1, **settings["pool"])
data = from_dict(DataConfig, settings["data"])
packed = Packed(saved["samples"], saved["first"], pool, ("piano",), data.sample_rate_hz)
made = {}
for step in range(settings["steps"]):
    shape = Shape(data, 1, data.window)
    plan = plan_of(packed, shape, step, 8)
    mixture, sources = batch_of(saved["samples"], plan, tables_of(data), None, shape)
    made[f"mixture{step}"], made[f"sources{step}"] = mixture, sources
faster = replace(data, augment=AugmentConfig(speed=1.0, speed_semitones=(3.0, 3.0)))
shape = Shape(faster, 1, int(np.ceil(data.window * 2 ** (3 / 12))))
time = np.arange(20000)
tone = np.rint(20000 * np.sin(0.2 * time)).astype(np.int16)
plan = {name: np.int32([0, 0]) for name in ("part", "offset", "ahead")}
plan |= {name: np.int32([1300, 1300]) for name in ("count", "room")}
plan |= {"base": np.int32([100, 0]), "scale": np.float32([1, 1]), "item": np.int32([0, 1])}
from jax_batches import _changed, _cut
made["tone"] = _cut(tone, plan, np.float32([2 ** (3 / 12), 1.0]), data.window)
augment = AugmentConfig(equaliser=1.0, room=1.0, band_limit=0.5, polarity=0.5)
windows = np.zeros((64, data.window), np.float32); windows[:, 0] = 1
rows = {"item": np.zeros(64, np.int32), "part": np.zeros(64, np.int32)}
tables = tables_of(replace(data, augment=augment))
key = jax.random.key(1)
made["impulses"] = _changed(windows, rows, tables, augment, data.sample_rate_hz, key)
from tfsepgan.data.augment.effects import equaliser_section
section = equaliser_section("peak", 500.0, 9.0, 0.7, data.sample_rate_hz)
made["response"] = response_of(section[None].astype(np.float32), 1024)
noisy = replace(data, augment=AugmentConfig(noise=1.0, noise_db=(-20.0, -20.0)))
shape = Shape(noisy, 1, data.window)
made["noisy_mixture"], made["noisy_sources"] = batch_of(
    saved["samples"], plan_of(packed, shape, 0, 8), tables_of(data), jax.random.key(0), shape
)
np.savez(here / "made.npz", **{name: np.asarray(value) for name, value in made.items()})
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What JAX makes of the recordings."""
    here = tmp_path_factory.mktemp("jax")
    samples, first, of_pool = packed_recordings()
    recordings = of_pool.pop("recordings")
    levels = {f"levels{k}": recording.envelope for k, recording in enumerate(recordings)}
    np.savez(here / "pack.npz", samples=samples, first=first, **levels)
    data = {
        name: getattr(DATA, name)
        for name in (
            "sample_rate_hz",
            "window",
            "batch",
            "law",
            "snr_db",
            "gain_db",
            "rests",
            "songs",
            "balance",
        )
    }
    settings = {
        "pool": of_pool,
        "frames": [r.frames for r in recordings],
        "data": data,
        "steps": 40,
    }
    (here / "settings.json").write_text(json.dumps(settings))
    run(JAX_PYTHON, MIX, here, JAX_TOOLS, KERAS_BACKEND="jax")
    of_pool["recordings"] = recordings
    with np.load(here / "made.npz") as saved:
        return (
            samples,
            first,
            Pool(sources=1, **{**of_pool, "track_folders": np.array([0, 0])}),
            dict(saved),
        )


def mixed_by_numpy(samples, first, pool, step):
    plan = draw_plan(pool, DATA, step)
    windows = np.zeros((len(plan.draws.item), WINDOW), np.int16)
    for row, number, start, count, offset in zip(windows, *plan.draws[2:], strict=True):
        row[offset : offset + count] = samples[first[number] + start :][:count]
    return mix_batch(pool, DATA, plan, windows)


@with_jax
def test_batches_are_those_of_the_pipeline(made):
    """Levels, songs, rests and limits: the same draws give the same mixtures."""
    samples, first, pool, arrays = made
    levels_db, rested, songs = [], 0, 0
    for step in range(40):
        mixture, sources, rest = mixed_by_numpy(samples, first, pool, step)
        np.testing.assert_allclose(arrays[f"mixture{step}"], mixture, atol=2e-5)
        np.testing.assert_allclose(arrays[f"sources{step}"], sources, atol=2e-5)
        songs += draw_plan(pool, DATA, step).together.sum()
        got = (
            arrays[f"sources{step}"][:, 0, :, 0],
            (arrays[f"mixture{step}"] - arrays[f"sources{step}"][:, 0])[..., 0],
        )
        wanted, others = (np.sqrt(np.mean(part**2, axis=1)) for part in got)
        rested += np.sum(wanted == 0)
        both = (wanted > 0) & (others > 1e-4)
        levels_db += list(20 * np.log10(wanted[both] / others[both]))
    assert 0.1 < rested / (40 * BATCH) < 0.3 and 0.2 < songs / (40 * BATCH) < 0.4
    quantiles = np.quantile(levels_db, [0.0, 0.25, 0.5, 0.75, 1.0])  # uniform in snr_db
    np.testing.assert_allclose(quantiles, [-8, -4, 0, 4, 8], atol=0.9)


@with_jax
def test_speed_raises_the_pitch_and_speed_one_keeps_the_samples(made):
    tone = made[3]["tone"]
    time = np.arange(WINDOW)
    faster = 20000 * np.sin(0.2 * (100 + time * 2 ** (3 / 12)))
    assert np.abs(tone[0] - faster).max() < 0.002 * 20000
    np.testing.assert_array_equal(tone[1], np.rint(20000 * np.sin(0.2 * time)))


@with_jax
def test_filters_and_rooms_are_those_of_the_package(made):
    from scipy.signal import sosfreqz

    from tfsepgan.data.augment.effects import equaliser_section

    section = equaliser_section("peak", 500.0, 9.0, 0.7, RATE_HZ)
    _, wanted = sosfreqz(section, worN=2 * np.pi * np.arange(513) / 1024)
    np.testing.assert_allclose(made[3]["response"][0], wanted, rtol=1e-4, atol=1e-5)
    impulses = made[3]["impulses"]
    assert np.isfinite(impulses).all() and len(np.unique(impulses[:, 50])) > 32
    early, late = (np.mean(impulses[:, part] ** 2) for part in (slice(1, 200), slice(800, 1000)))
    assert early > 2 * late > 0  # the sound of rooms decays
    assert 10 < np.sum(impulses[:, 0] < 0) < 54  # about half are inverted


@with_jax
def test_noise_is_part_of_the_residual(made):
    samples, first, pool, arrays = made
    mixture, sources, rest = mixed_by_numpy(samples, first, pool, 0)
    scale = arrays["noisy_sources"].std(axis=(1, 2, 3)) / np.maximum(
        sources.std(axis=(1, 2, 3)), 1e-9
    )
    unscaled = (sources.std(axis=(1, 2, 3)) > 1e-4) & (np.abs(scale - 1) < 1e-5)
    noise = (arrays["noisy_mixture"] - mixture)[unscaled]
    level_db = 20 * np.log10(noise.std(axis=(1, 2)) / mixture[unscaled].std(axis=(1, 2)))
    np.testing.assert_allclose(level_db, -20.0, atol=0.3)


STEPS = """
import json, sys
import numpy as np
from pathlib import Path
from jax_state import read_state, resume, write_model, write_state
from jax_trainer import Trainer, experiment_of
here = Path(sys.argv[1])
settings = json.loads((here / "settings.json").read_text())
trainer = Trainer(experiment_of("tiny", settings))
saved = np.load(here / "given.npz")
trainer.start_from([saved[f"weight{k}"] for k in range(len(trainer.generator.variables))])
logs = []
for step in range(5):
    if step == 3:  # interrupted and resumed
        write_state(here, trainer, 30_000)
        assert read_state(here)[1]["parts"] == len(list(here.glob("state-3-*.npz"))) > 1
        if "generator.kind=tfc_tdf" in settings:
            trainer = Trainer(experiment_of("tiny", settings))
            resume(trainer, [None, here])
            assert trainer.progress["step"] == 3
    losses = trainer.step(saved[f"mixture{step}"], saved[f"sources{step}"])
    logs.append({name: float(value) for name, value in losses.items()})
weights = trainer._in_order(trainer.state["trainable"], trainer.state["untrained"])
arrays = {f"weight{k}": np.asarray(v) for k, v in enumerate(weights)}
arrays |= {f"mean{k}": np.asarray(v) for k, v in enumerate(trainer.state["mean"])}
np.savez(here / "after.npz", **arrays)
(here / "logs.json").write_text(json.dumps(logs))
write_model(here, trainer.experiment, trainer.state["mean"], {"steps": 5})
"""
CHANGES = [
    *(
        "paired_loss=mse",
        "paired_weight=100.0",
        "identity_share=0.5",
        "level_dbfs=-20.0",
        "window=2048",
        "batch=2",
    ),
    *("schedule=cosine", "warmup_steps=2", "clip_norm=0.5", "ema=0.9", "betas=[0.8,0.99]"),
]
KINDS = [
    [],
    ["generator.kind=tfc_tdf", "generator.channels=8", "generator.blocks=2"],
    ["generator.kind=band_split", "generator.channels=8", "generator.blocks=2"],
]


@with_jax
@pytest.mark.parametrize("kind", KINDS, ids=["filterbank", "tfc_tdf", "band_split"])
def test_five_steps_are_those_of_ssepgan_on_tensorflow(kind, tmp_path):
    changes = [*CHANGES, *kind]
    system = systems.build(from_tools("jax_trainer").experiment_of("tiny", changes))
    system.compile()
    random, given = np.random.default_rng(0), {}
    given |= {f"weight{k}": np.asarray(v) for k, v in enumerate(system.generator.variables)}
    for step in range(5):
        sources = 0.1 * random.standard_normal((2, 1, 2048, 1)).astype(np.float32)
        given[f"sources{step}"] = sources
        given[f"mixture{step}"] = sources[:, 0] + 0.1 * random.standard_normal((2, 2048, 1)).astype(
            np.float32
        )
    np.savez(tmp_path / "given.npz", **given)
    (tmp_path / "settings.json").write_text(json.dumps(changes))
    run(JAX_PYTHON, STEPS, tmp_path, KERAS_BACKEND="jax")
    logs = json.loads((tmp_path / "logs.json").read_text())
    for step, log in enumerate(logs):
        for tracker in system.trackers.values():
            tracker.reset_state()
        wanted = system.train_step(
            {name: given[f"{name}{step}"] for name in ("mixture", "sources")}
        )
        for name, value in log.items():
            assert value == pytest.approx(float(wanted[name]), rel=1e-4), (step, name)
    with np.load(tmp_path / "after.npz") as after:
        for name, network in (("weight", system.generator), ("mean", system.ema_generator)):
            for k, variable in enumerate(network.variables):
                wanted = np.asarray(variable, np.float64)
                error = np.linalg.norm(after[f"{name}{k}"] - wanted) / max(
                    np.linalg.norm(wanted), 1e-6
                )
                assert error < 1e-4, (name, variable.path, error)
    model, manifest = open_model(tmp_path)  # as every command does
    assert (manifest.sources, manifest.trained["steps"]) == (("piano",), 5)
    mixture = given["mixture0"]
    np.testing.assert_allclose(model(mixture), system.ema_generator(mixture), atol=1e-4)
