"""The filterbank masker in NumPy equals the Keras model, for any of its settings."""

import dataclasses
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from maskers_for_tests import RATE_HZ, SMALL
from threadpoolctl import threadpool_info

from tfsepgan.errors import CheckpointError
from tfsepgan.models.bundle import Bundle, describe, load_bundle, save_bundle
from tfsepgan.networks.table import build_generator
from tfsepgan.separation.blas import one_thread_each, shared_by
from tfsepgan.separation.numpy_masker import FEW_FRAMES, NumpyMasker, read_weights, why_not_numpy


def saved(folder, config, sources=("piano",)) -> Bundle:
    """A generator with random weights in every layer, written and read again."""
    network = build_generator(config, sources=len(sources), sample_rate_hz=RATE_HZ)
    rng = np.random.default_rng(3)
    network.set_weights(
        [
            (rng.uniform(0.5, 2, one.shape) if "var" in one.path else rng.normal(size=one.shape))
            / max(1, np.sqrt(one.shape[0]) if len(one.shape) > 1 else 1)
            for one in network.weights
        ]
    )
    facts = {"name": "x", "system": "ssepgan", "sample_rate_hz": RATE_HZ, "sources": sources}
    save_bundle(folder, network, describe(network, config, trained={}, **facts))
    return load_bundle(folder)


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"hop": 32, "level_frames": 4, "cutoff_hz": 5000.0},
        {"level_frames": 1, "blocks": 1, "dilations": (40,)},
        {"synthesis_frame": 32, "look_ahead_frames": 2, "level_frames": 4},
    ],
)
def test_it_equals_keras(changed, tmp_path):
    bundle = saved(tmp_path, dataclasses.replace(SMALL, **changed), ("piano", "voice"))
    masker = NumpyMasker(read_weights(tmp_path / "model.keras"), bundle.manifest)
    rng = np.random.default_rng(0)
    for samples in (1, 777, 4096):
        mixture = rng.normal(0, 0.1, (3, samples, 1)).astype(np.float32)
        mixture[1] *= 1e-4
        mixture[2, samples // 3 :] = 0
        expected = bundle.separate_function()(mixture)
        estimates = masker.separate(mixture)
        assert np.abs(expected[0]).max() > 1e-3
        for one, other in zip(estimates, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=2e-5 * np.abs(other).max() + 1e-12)


def test_it_says_which_networks_it_cannot_run(tmp_path):
    manifest = saved(tmp_path, SMALL).manifest
    assert why_not_numpy(manifest) is None
    for setting, value, reason in (
        ("kind", "resnet", "this one is resnet"),
        ("learnable", True, "filters are learned"),
        ("features", "complex", "features setting is 'complex', not 'power'"),
        ("mask", "complex", "mask setting is 'complex', not 'real'"),
    ):
        settings = {**manifest.network_settings, setting: value}
        assert reason in why_not_numpy(dataclasses.replace(manifest, network_settings=settings))


def test_weights_of_other_settings_are_refused(tmp_path):
    manifest = saved(tmp_path, SMALL).manifest
    weights = read_weights(tmp_path / "model.keras")
    for changed in ({"channels": 7}, {"blocks": 2}, {"blocks": 4}, {"dilations": None}):
        settings = {**manifest.network_settings, **changed}
        with pytest.raises(CheckpointError, match="'x' do not fit its manifest.*export the model"):
            NumpyMasker(weights, dataclasses.replace(manifest, network_settings=settings))
    with pytest.raises(CheckpointError, match="it has 1 outputs for 2 sources"):
        NumpyMasker(weights, dataclasses.replace(manifest, sources=("a", "b")))


def test_a_damaged_file_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"not a zip file")
    with pytest.raises(CheckpointError, match=r"model\.keras cannot be read: File is not a zip"):
        read_weights(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.weights.h5", b"not HDF5")
    with pytest.raises(CheckpointError, match=r"model\.keras cannot be read"):
        read_weights(path)


def threads() -> list[int]:
    """Of matrix products, in each library."""
    return [one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"]


def test_the_threads_of_matrix_products_are_restored(monkeypatch):
    """Their number decides the last bits, so a call that wants another number waits."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    before, entered = threads(), threading.Event()

    def want_two() -> None:
        with shared_by(1):
            entered.set()

    other = threading.Thread(target=want_two)
    with shared_by(10_000):
        assert set(threads()) <= {1}
        with one_thread_each():
            other.start()
            assert not entered.wait(0.2)
        assert set(threads()) <= {1}
    assert entered.wait(10)
    other.join()
    assert threads() == before


def test_a_thread_that_came_first_and_left_first_does_not_keep_the_setting(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    before, first = threads(), one_thread_each()
    with ThreadPoolExecutor(1) as other:
        other.submit(first.__enter__).result()
        with one_thread_each():
            other.submit(first.__exit__, None, None, None).result()
            assert set(threads()) <= {1}
        assert threads() == before
        with shared_by(1):
            assert set(threads()) <= {2}
        with one_thread_each():
            assert set(threads()) <= {1}


def test_short_signals_together_equal_each_alone(tmp_path):
    manifest = saved(tmp_path, SMALL).manifest
    masker = NumpyMasker(read_weights(tmp_path / "model.keras"), manifest)
    mixture = np.random.default_rng(0).normal(0, 0.1, (2, 500, 1)).astype(np.float32)
    together = masker.separate(mixture)
    alone = np.concatenate([masker.separate(mixture[:1]), masker.separate(mixture[1:])])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-7 * np.abs(alone).max() + 1e-9)
    long = np.tile(mixture, (1, 16, 1))
    assert long.shape[1] >= FEW_FRAMES * SMALL.hop
    np.testing.assert_array_equal(masker.separate(long[1:]), masker.separate(long)[1:])
