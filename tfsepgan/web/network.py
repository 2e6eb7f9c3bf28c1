"""Models that the page runs with its own WebAssembly: filterbank maskers.

In a browser, this WebAssembly is several times as fast as LiteRT. `web/src/network` computes the
same as `separation/numpy_masker.py`; the arrays keep the names of their Keras layers.
"""

from pathlib import Path
from typing import Any

import numpy as np

from tfsepgan.dsp.filterbank import AMPLIFIED, EPSILON, FLOOR
from tfsepgan.models.digests import WEIGHTS, check_digest
from tfsepgan.models.folders import Manifest, read_manifest
from tfsepgan.separation.numpy_masker import NumpyMasker, Weights, read_weights
from tfsepgan.separation.numpy_masker import why_not_numpy as why_not_the_network
from tfsepgan.separation.runtimes import why_not_numpy
from tfsepgan.web.weights import quantised, safetensors

STEP = 8  # channels that the page computes at a time
LANES = 4  # samples of a vector
LOUDNESS = "batch_normalization"


def why_not_page(folder: Path) -> str | None:
    """Say why the page's own WebAssembly cannot run the model in a folder; None if it can."""
    manifest = read_manifest(folder)
    return why_not_kernels(manifest) or why_not_numpy(folder, manifest)


def why_not_kernels(manifest: Manifest) -> str | None:
    """Say why the page's own WebAssembly cannot run a network; None if it can."""
    if not manifest.separates_in_one_pass:
        return f"{manifest.system} does not separate in one pass"
    reason = why_not_the_network(manifest)
    if reason:
        return reason
    settings = manifest.network_settings
    frame, hop = settings["frame"], settings["hop"]
    length = settings.get("synthesis_frame") or frame
    if frame < STEP or frame & (frame - 1) or hop % LANES or length % hop:
        return f"its frames of {frame} samples, {hop} apart, are not of powers of two"
    if settings["channels"] % STEP:
        return f"its layers have channels in no multiple of {STEP}"
    return None


def page_network(folder: Path) -> tuple[dict[str, Any], bytes]:
    """What the page needs to know of a model, and the content of its file.

    Args:
      folder: of a model for which `why_not_page` returns None.
    Raises: CheckpointError when the weights are damaged or belong to another model.
    """
    manifest = read_manifest(folder)
    check_digest(folder, WEIGHTS)
    weights = read_weights(folder / WEIGHTS)
    masker = NumpyMasker(weights, manifest)  # checks them
    return page_facts(masker, manifest), safetensors(page_arrays(weights, masker))


def page_facts(masker: NumpyMasker, manifest: Manifest) -> dict[str, Any]:
    """What the page needs to know of a model."""
    return {
        "name": manifest.name,
        "licence": str(manifest.trained.get("licence") or ""),
        "sources": list(manifest.sources),
        "sample_rate_hz": manifest.sample_rate_hz,
        "context": manifest.context,
        "delay_samples": masker.synthesis_frame + (masker.look_ahead - 1) * masker.hop,
        # no suffix of its own: some servers would decompress .gz on the way
        "file": f"{manifest.name}.safetensors.gzip",
        "network": _network_facts(masker),
    }


def page_arrays(weights: Weights, masker: NumpyMasker) -> dict[str, np.ndarray]:
    """The layers with 8-bit kernels, the windows, and the scale of the loudness."""
    factor, term = masker.loudness
    layers = {name: parts for name, parts in weights.items() if name != LOUDNESS}
    return quantised(layers) | {
        "window": masker.window,
        # the page's inverse transform is larger by the factor `frame`
        "synthesis_window": masker.synthesis_window / np.float32(masker.frame),
        "loudness.factor": factor,
        "loudness.term": term,
    }


def _network_facts(masker: NumpyMasker) -> dict[str, Any]:
    return {
        "frame": masker.frame,
        "hop": masker.hop,
        "dilations": masker.dilations,
        "ahead": masker.ahead,
        "level": list(masker.level),
        "epsilon": EPSILON,
        "floor": FLOOR,
        "amplified": AMPLIFIED,
    }
