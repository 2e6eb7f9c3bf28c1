"""Packs for the JAX trainer keep their recordings and draws; which modules need TensorFlow."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from jax_for_tests import DATA, JAX_PYTHON, RATE_HZ, packed_recordings, run, with_jax
from tools_for_tests import from_tools

from tfsepgan.data.batches.draws import draw_plan
from tfsepgan.data.batches.pool import Pool

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
