"""Batches of the JAX trainer are mixtures like the pipeline's."""

import json

import numpy as np
import pytest
from jax_for_tests import (
    BATCH,
    DATA,
    JAX_PYTHON,
    JAX_TOOLS,
    RATE_HZ,
    WINDOW,
    packed_recordings,
    run,
    with_jax,
)

from tfsepgan.data.batches.draws import draw_plan
from tfsepgan.data.batches.pipeline import mix_batch
from tfsepgan.data.batches.pool import Pool

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
