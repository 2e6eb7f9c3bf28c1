"""The page's own arithmetic, in Node, equals the NumPy runtime with the same 8-bit weights."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from maskers_for_tests import random_weights

from tfsepgan.models.folders import find_bundle, read_manifest
from tfsepgan.separation.numpy_masker import NumpyMasker, read_weights
from tfsepgan.web.network import page_arrays, page_facts, why_not_page
from tfsepgan.web.site import PREBUILT
from tfsepgan.web.weights import rounded, safetensors

PROGRAM = Path(__file__).parent / "separate_in_node.mjs"


@pytest.fixture
def in_node(tmp_path):
    """Separates one channel as the page does; returns `[sources, time]`."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node")

    def separate(weights, manifest, mixture, piece):
        masker = NumpyMasker(weights, manifest)
        (worker,) = PREBUILT.glob("assets/separation-*.js")
        request = {
            "worker": str(worker),
            "kernels": str(PREBUILT / "kernels" / "kernels.wasm"),
            "facts": page_facts(masker, manifest),
            "piece": piece,
        }
        (tmp_path / "request.json").write_text(json.dumps(request))
        (tmp_path / "model.bin").write_bytes(safetensors(page_arrays(weights, masker)))
        mixture.astype("<f4").tofile(tmp_path / "mixture.f32")
        subprocess.run([node, PROGRAM, tmp_path], check=True, timeout=120)
        return np.fromfile(tmp_path / "estimates.f32", "<f4").reshape(len(manifest.sources), -1)

    return separate


def natively(weights, manifest, mixture):
    """The NumPy runtime on one channel, `[sources, time]`."""
    return NumpyMasker(rounded(weights), manifest).separate(mixture[None, :, None])[0, :, :, 0]


@pytest.mark.parametrize(
    ("changed", "samples", "pieces"),
    [
        ({"level_frames": 4, "cutoff_hz": 5000.0}, 5001, 3),
        ({"blocks": 1, "dilations": (40,), "hop": 32}, 9000, 160),
        ({"synthesis_frame": 32, "look_ahead_frames": 2, "level_frames": 3}, 4096, 7),
        ({"frame": 128}, 3, 1),
        ({"frame": 32, "channels": 72}, 2000, 4),
    ],
)
def test_small_networks_equal_the_numpy_runtime(changed, samples, pieces, in_node):
    weights, manifest = random_weights(("piano", "voice"), **({"channels": 16} | changed))
    mixture = np.random.default_rng(1).normal(0, 0.1, samples).astype(np.float32)
    mixture[samples // 2 : samples // 2 + 900] = 0
    expected = natively(weights, manifest, mixture)
    estimates = in_node(weights, manifest, mixture, pieces * manifest.hop)
    assert estimates.shape == expected.shape
    # 16-bit inputs are rounded to 1 in 32767 of the largest
    assert np.abs(estimates - expected).max() < 3e-4 * np.abs(mixture).max()
    assert np.abs(expected).max() > 0.1 * np.abs(mixture).max()


def test_the_model_that_ships_equals_the_numpy_runtime_however_it_is_cut(in_node, music):
    folder = find_bundle("piano")
    assert why_not_page(folder) is None
    manifest, mixture = read_manifest(folder), music(6)[:, 0].astype(np.float32)
    weights = read_weights(folder / "model.keras")
    expected, peak = natively(weights, manifest, mixture), np.abs(mixture).max()
    whole = in_node(weights, manifest, mixture, len(mixture) + -len(mixture) % manifest.hop)
    assert np.abs(whole - expected).max() < 1e-4 * peak
    exact = NumpyMasker(weights, manifest).separate(mixture[None, :, None])[0, :, :, 0]
    assert np.abs(whole - exact).max() < 3e-3 * peak  # weights in 8 bits
    np.testing.assert_array_equal(in_node(weights, manifest, mixture, 5 * manifest.hop), whole)
    start = 10 * manifest.hop  # of a stretch; what follows its context is the same
    stretch = in_node(weights, manifest, mixture[start:], 64 * manifest.hop)
    wanted = slice(start + manifest.context, None)
    np.testing.assert_array_equal(stretch[:, manifest.context :], whole[:, wanted])
