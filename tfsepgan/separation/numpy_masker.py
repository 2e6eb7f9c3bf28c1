"""The filterbank masker in NumPy: the network of `networks/filterbank.py` without a framework.

It starts in a fraction of a second, needs neither TensorFlow nor LiteRT, and is about twice as fast
as LiteRT, whose transforms are slow. Every function is named as the Keras layer that it equals.
"""

import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from tfsepgan.dsp.filterbank import (
    AMPLIFIED,
    EPSILON,
    FLOOR,
    KERNEL,
    LOG_OFFSET,
    LOG_SCALE,
    root_hann,
)
from tfsepgan.errors import CheckpointError
from tfsepgan.models.digests import BROKEN
from tfsepgan.models.folders import Manifest
from tfsepgan.separation.blas import one_thread_each, shared_by

FRAMES_PER_TRANSFORM = 64  # at a time: they stay in the processor's cache
# of a signal; below, to prepare the weights takes a sixth of a matrix product, so signals share it
FEW_FRAMES = 128
# what NumPy computes transforms in: float32 since NumPy 2
TRANSFORM_OF = np.fft.rfft(np.zeros(2, np.float32)).dtype
TRANSFORM_TYPE = np.zeros(0, TRANSFORM_OF).real.dtype

Weights = Mapping[str, list[np.ndarray]]
"""The arrays of each layer, in the order in which Keras saves them."""


def why_not_numpy(manifest: Manifest) -> str | None:
    """Say why the network of a model cannot run in NumPy; None if it can."""
    settings = manifest.network_settings
    if manifest.network != "filterbank":
        return f"NumPy runs filterbank networks, and this one is {manifest.network}"
    if settings.get("learnable"):
        return "its filters are learned"
    for name, only in (("features", "power"), ("mask", "real")):
        if settings.get(name, only) != only:
            return f"its {name} setting is {settings[name]!r}, not {only!r}"
    return None


def read_weights(path: Path) -> Weights:
    """Read the arrays of a `model.keras` file by the name of their layer, such as 'dense_3'.

    Raises: CheckpointError when the file is missing or damaged.
    """
    import h5py

    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read("model.weights.h5")
        with h5py.File(h5py.h5f.open_file_image(content)) as file:
            return {name: _arrays(layer["vars"]) for name, layer in file["layers"].items()}
    except (*BROKEN, RuntimeError) as error:
        raise CheckpointError(
            f"{path} cannot be read: {error}. Copy or export the model again."
        ) from error


def _arrays(group: Mapping[str, Any]) -> list[np.ndarray]:
    arrays = {int(index): array[()] for index, array in group.items()}
    return [arrays[index] for index in sorted(arrays)]


class NumpyMasker:
    """A filterbank generator on arrays, equal to the Keras model to float32 rounding.

    Args:
      weights: as `read_weights` returns them.
      manifest: of a model for which `why_not_numpy` returns None.
    Raises: CheckpointError when the weights do not fit the settings in the manifest.
    """

    def __init__(self, weights: Weights, manifest: Manifest):
        self._sources = len(manifest.sources)
        try:
            self._read(weights, manifest.network_settings)
        except BROKEN as error:
            raise CheckpointError(
                f"the weights of {manifest.name!r} do not fit its manifest: {error}. Copy or export"
                " the model again."
            ) from error

    def _read(self, weights: Weights, settings: Mapping[str, Any]) -> None:
        """Give the arrays the names that they have in `networks/filterbank.py`."""
        self._frame, self._hop = settings["frame"], settings["hop"]
        self._level_frames = settings.get("level_frames", 0)
        self._window = root_hann(self._frame)
        channels, blocks, dilations = (settings[key] for key in ("channels", "blocks", "dilations"))
        bins = self._bins = len(weights["batch_normalization"][0])

        def layer(kind: str, number: int, *shapes: tuple[int, ...]) -> list[np.ndarray]:
            arrays = weights[f"{kind}_{number}" if number else kind]
            if [array.shape for array in arrays] != list(shapes):
                raise ValueError(f"{kind} {number} has {[array.shape for array in arrays]}")
            return arrays

        wide, square = (channels,), (channels, channels)
        mean, variance = layer("batch_normalization", 0, (bins,), (bins,))
        # The loudness and its normalisation together: a factor and a term for the log power.
        deviation = np.sqrt(variance + np.float32(EPSILON))
        self._levels = LOG_SCALE / deviation, (LOG_OFFSET - mean) / deviation
        self._enter = _centred(*layer("dense", 0, (bins, channels), wide))
        self._blocks = []
        for block in range(blocks):
            norm = layer("layer_normalization", block, wide, wide)
            kernel, bias = layer("dilated_conv1d", block, (KERNEL, *square), wide)
            look = kernel.reshape(KERNEL * channels, channels), bias
            mix = _centred(*layer("dense", block + 1, square, wide))
            self._blocks.append((norm, look, mix, dilations[block % len(dilations)]))
        self._norm = layer("layer_normalization", blocks, wide, wide)
        kernel, bias = weights[f"dense_{blocks + 1}"]
        outputs = len(bias) // bins
        layer("dense", blocks + 1, (channels, outputs * bins), (outputs * bins,))
        if self._sources > outputs:
            raise ValueError(f"it has {outputs} outputs for {self._sources} sources")
        self._masks = kernel, bias

    def separate(self, mixture: np.ndarray) -> np.ndarray:
        """Separate `[batch, time, 1]` float32 into `[batch, sources, time, 1]`.

        Each signal of the batch has a thread, but short ones share one. Works from any thread, and
        after a fork; the estimates do not depend on what other threads do.
        """
        estimates = np.empty((len(mixture), self._sources, *mixture.shape[1:]), np.float32)
        if mixture.shape[1] < FEW_FRAMES * self._hop:
            with one_thread_each():
                self._separate(mixture, estimates)
            return estimates

        def run(item: int) -> None:
            self._separate(mixture[item : item + 1], estimates[item : item + 1])

        with shared_by(len(mixture)), ThreadPoolExecutor(len(mixture)) as pool:
            list(pool.map(run, range(len(mixture))))
        return estimates

    def _separate(self, mixture: np.ndarray, estimates: np.ndarray) -> None:
        """Separate signals in this thread, the mask network on all of them at once."""
        spectra = np.stack([self._analysis(signal) for signal in mixture[..., 0]])
        masks = self._mask_network(spectra)
        for spectrum, mask, estimate in zip(spectra, masks, estimates, strict=True):
            for source in range(self._sources):
                own = mask[:, source * self._bins : (source + 1) * self._bins]
                estimate[source, :, 0] = self._synthesis(spectrum, own, mixture.shape[1])

    def _analysis(self, signal: np.ndarray) -> np.ndarray:
        """`[time]` to the Fourier transforms of windowed frames, `[frames, bins]` complex64."""
        outside = np.zeros(self._frame - self._hop, np.float32)
        tail = np.zeros(-len(signal) % self._hop, np.float32)
        padded = np.concatenate([outside, signal, tail, outside])
        frames = np.lib.stride_tricks.sliding_window_view(padded, self._frame)[:: self._hop]
        spectrum = np.empty((len(frames), self._bins), np.complex64)
        windowed = np.empty((FRAMES_PER_TRANSFORM, self._frame), TRANSFORM_TYPE)
        for some in _chunks(len(frames)):
            count = some.stop - some.start
            np.multiply(frames[some], self._window, out=windowed[:count])
            spectrum[some] = np.fft.rfft(windowed[:count])[:, : self._bins]
        return spectrum

    def _mask_network(self, spectra: np.ndarray) -> np.ndarray:
        """`[batch, frames, bins]` to the masks, `[batch, frames, outputs * bins]` in [0, 1].

        Between, all frames are the rows of one matrix.
        """
        batch, frames, _ = spectra.shape
        features = np.concatenate([self._features(spectrum) for spectrum in spectra])
        signal = _dense(features, *self._enter)
        for norm, look, mix, dilation in self._blocks:
            normal = _layer_norm(signal, *norm).reshape(batch, frames, -1)
            branch = _dense(_side_by_side(normal, dilation), *look)
            signal += _dense(np.maximum(branch, 0, out=branch), *mix)
        masks = _sigmoid(_dense(_layer_norm(signal, *self._norm), *self._masks))
        return masks.reshape(batch, frames, -1)

    def _features(self, spectrum: np.ndarray) -> np.ndarray:
        """The normalised loudness of each bin, `[frames, bins]`."""
        twice_power = 2 * (spectrum.real**2 + spectrum.imag**2)
        if self._level_frames:
            twice_power *= _gain_to_one_level(twice_power, self._level_frames)[:, None]
        twice_power += np.float32(FLOOR)
        factor, term = self._levels
        loudness = np.log(twice_power, out=twice_power)
        loudness *= factor
        loudness += term
        return loudness

    def _synthesis(self, spectrum: np.ndarray, mask: np.ndarray, samples: int) -> np.ndarray:
        """Overlap-add of the masked frames, `[samples]`."""
        repeats = self._frame // self._hop
        hops = np.zeros((len(spectrum) + repeats - 1, self._hop), np.float32)
        window = self._window * np.float32(2 * self._hop / self._frame)
        # The transform ignores the second half; without it, NumPy 1 would copy its input.
        whole = np.zeros((FRAMES_PER_TRANSFORM, self._frame), TRANSFORM_OF)
        frames = np.empty((FRAMES_PER_TRANSFORM, self._frame), np.float32)
        for some in _chunks(len(spectrum)):
            count = some.stop - some.start
            np.multiply(spectrum[some], mask[some], out=whole[:count, : self._bins])
            waves = np.fft.irfft(whole[:count], self._frame)
            np.multiply(waves, window, out=frames[:count], casting="same_kind")
            for part in range(repeats):
                own = slice(part * self._hop, (part + 1) * self._hop)
                hops[some.start + part : some.stop + part] += frames[:count, own]
        return hops[repeats - 1 :].reshape(-1)[:samples]


def _chunks(frames: int) -> list[slice]:
    starts = range(0, frames, FRAMES_PER_TRANSFORM)
    return [slice(first, min(first + FRAMES_PER_TRANSFORM, frames)) for first in starts]


def _gain_to_one_level(twice_power: np.ndarray, reach: int) -> np.ndarray:
    """The factor of each frame's power that `AtOneLevel` applies, `[frames]`."""
    mean_power = np.float32(AMPLIFIED**2 / 2) * twice_power.mean(axis=1)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(mean_power, reach), 2 * reach + 1)
    return np.float32(AMPLIFIED**2) / (around.mean(axis=1) + np.float32(FLOOR))


def _dense(signal: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    output = signal @ kernel
    output += bias
    return output


def _centred(kernel: np.ndarray, bias: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The layer with outputs of mean zero, which normalisation subtracts anyway."""
    return kernel - kernel.mean(axis=1, keepdims=True), bias - bias.mean()


def _layer_norm(centred: np.ndarray, gamma: np.ndarray, beta: np.ndarray) -> np.ndarray:
    variance = np.einsum("fc,fc->f", centred, centred) / centred.shape[1]
    normal = centred * (1 / np.sqrt(variance + np.float32(EPSILON)))[:, None]
    normal *= gamma
    normal += beta
    return normal


def _side_by_side(signals: np.ndarray, dilation: int) -> np.ndarray:
    """The inputs of the three taps of a convolution, `[batch * frames, 3 * channels]`.

    Args:
      signals: `[batch, frames, channels]`.
      dilation: from one tap to the next, in frames.
    """
    batch, frames, channels = signals.shape
    taps = np.zeros((batch, frames, KERNEL, channels), np.float32)
    taps[:, dilation:, 0] = signals[:, : max(frames - dilation, 0)]
    taps[:, :, 1] = signals
    taps[:, : max(frames - dilation, 0), 2] = signals[:, dilation:]
    return taps.reshape(batch * frames, KERNEL * channels)


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # exp(large) is infinite, and the mask zero
        np.exp(np.negative(logits, out=logits), out=logits)
    logits += 1
    return np.reciprocal(logits, out=logits)
