"""The filterbank masker in NumPy: the network of `networks/filterbank.py` without a framework.

It starts in a fraction of a second, needs neither TensorFlow nor LiteRT, and is about twice as fast
as LiteRT, whose transforms are slow. Every function is named as the Keras layer that it equals. The
same code serves whole signals and streams (`numpy_stream.py`), which differ in their edges.
"""

import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from tfsepgan.dsp import transforms
from tfsepgan.dsp.filterbank import (
    AMPLIFIED,
    EPSILON,
    FLOOR,
    KERNEL,
    LOG_OFFSET,
    LOG_SCALE,
    frames_ahead,
    window_pair,
)
from tfsepgan.errors import CheckpointError
from tfsepgan.models.digests import BROKEN
from tfsepgan.models.folders import Manifest
from tfsepgan.separation.blas import one_thread_each, shared_by
from tfsepgan.separation.numpy_layers import (
    FRAMES_PER_TRANSFORM,
    centred,
    chunks,
    dense,
    gain_to_one_level,
    layer_norm,
    side_by_side,
    sigmoid,
)

# of a signal; below, to prepare the weights takes a sixth of a matrix product, so signals share it
FEW_FRAMES = 128

Weights = Mapping[str, list[np.ndarray]]
"""The arrays of each layer, in the order in which Keras saves them."""


class Edges(Protocol):
    """The context of some frames: zeros, or the earlier and later frames of a stream."""

    def around(self, place: Any, frames: np.ndarray, before: int, after: int) -> np.ndarray:
        """Return the frames with their context: `[before + frames + after, ...]`.

        Args:
          place: in the network; each has its own context.
        """

    def delayed(self, place: Any, frames: np.ndarray, by: int) -> np.ndarray:
        """Return the frames in step with the output of a layer that looks `by` frames ahead."""


class WholeSignal:
    """The edges of a signal that is given at once: zeros."""

    def around(self, place: Any, frames: np.ndarray, before: int, after: int) -> np.ndarray:
        """Pad with zeros."""
        padded = np.zeros((before + len(frames) + after, *frames.shape[1:]), frames.dtype)
        padded[before : before + len(frames)] = frames
        return padded

    def delayed(self, place: Any, frames: np.ndarray, by: int) -> np.ndarray:
        """Return the frames as they are."""
        return frames


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
        self.sources = len(manifest.sources)
        try:
            self._read(weights, manifest.network_settings)
        except BROKEN as error:
            raise CheckpointError(
                f"the weights of {manifest.name!r} do not fit its manifest: {error}. Copy or export"
                " the model again."
            ) from error

    def _read(self, weights: Weights, settings: Mapping[str, Any]) -> None:
        """Give the arrays the names that they have in `networks/filterbank.py`."""
        self.frame, self.hop = settings["frame"], settings["hop"]
        self.synthesis_frame = settings.get("synthesis_frame") or self.frame
        self.window, window = window_pair(self.frame, self.synthesis_frame)
        self.synthesis_window = window * np.float32(2 * self.hop / self.synthesis_frame)
        channels, blocks, dilations = (settings[key] for key in ("channels", "blocks", "dilations"))
        most, level_frames = settings.get("look_ahead_frames"), settings.get("level_frames", 0)
        self.level = level_frames, level_frames if most is None else 0
        self.dilations = [dilations[block % len(dilations)] for block in range(blocks)]
        self.ahead = frames_ahead(dilations, blocks, most)
        self.look_ahead = sum(self.ahead) + self.level[1]  # frames
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
        self.loudness = LOG_SCALE / deviation, (LOG_OFFSET - mean) / deviation
        self._enter = centred(*layer("dense", 0, (bins, channels), wide))
        self._blocks = []
        for block in range(blocks):
            norm = layer("layer_normalization", block, wide, wide)
            kernel, bias = layer("dilated_conv1d", block, (KERNEL, *square), wide)
            look = kernel.reshape(KERNEL * channels, channels), bias
            mix = centred(*layer("dense", block + 1, square, wide))
            self._blocks.append((norm, look, mix, self.dilations[block], self.ahead[block]))
        self._norm = layer("layer_normalization", blocks, wide, wide)
        kernel, bias = weights[f"dense_{blocks + 1}"]
        outputs = len(bias) // bins
        layer("dense", blocks + 1, (channels, outputs * bins), (outputs * bins,))
        if self.sources > outputs:
            raise ValueError(f"it has {outputs} outputs for {self.sources} sources")
        self._masks = kernel, bias

    def separate(self, mixture: np.ndarray) -> np.ndarray:
        """Separate `[batch, time, 1]` float32 into `[batch, sources, time, 1]`.

        Each signal of the batch has a thread, but short ones share one. Works from any thread, and
        after a fork; the estimates do not depend on what other threads do.
        """
        estimates = np.empty((len(mixture), self.sources, *mixture.shape[1:]), np.float32)
        if mixture.shape[1] < FEW_FRAMES * self.hop:
            with one_thread_each():
                self._separate(mixture, estimates)
            return estimates

        def run(item: int) -> None:
            self._separate(mixture[item : item + 1], estimates[item : item + 1])

        with shared_by(len(mixture)), ThreadPoolExecutor(len(mixture)) as pool:
            list(pool.map(run, range(len(mixture))))
        return estimates

    def _separate(self, mixture: np.ndarray, estimates: np.ndarray) -> None:
        """Separate signals in this thread; in the mask network, their frames take turns."""
        before = np.zeros(self.frame - self.hop, np.float32)
        after = np.zeros(self.synthesis_frame - self.hop + -mixture.shape[1] % self.hop, np.float32)
        spectra = [
            self.analysis(np.concatenate([before, signal, after])) for signal in mixture[..., 0]
        ]
        count = len(spectra)
        in_turn = np.stack(spectra, axis=1).reshape(-1, self._bins)
        masks = self.masks(in_turn, WholeSignal(), channels=count)
        for item, spectrum in enumerate(spectra):
            for source in range(self.sources):
                mask = self.of_source(masks[item::count], source)
                estimates[item, source, :, 0] = self.synthesis(spectrum, mask)[: mixture.shape[1]]

    def of_source(self, masks: np.ndarray, source: int) -> np.ndarray:
        """The masks of one output, `[frames, bins]`."""
        return masks[:, source * self._bins : (source + 1) * self._bins]

    def analysis(self, extended: np.ndarray) -> np.ndarray:
        """The Fourier transforms of windowed frames.

        `[frame - hop + time]` to `[time / hop, bins]` complex64, as `Analysis.inside`.
        """
        frames = np.lib.stride_tricks.sliding_window_view(extended, self.frame)[:: self.hop]
        spectrum = np.empty((len(frames), self._bins), np.complex64)
        most = min(len(frames), FRAMES_PER_TRANSFORM)
        windowed = np.empty((most, self.frame), transforms.REAL)
        for some in chunks(len(frames)):
            count = some.stop - some.start
            np.multiply(frames[some], self.window, out=windowed[:count])
            spectrum[some] = transforms.rfft(windowed[:count])[:, : self._bins]
        return spectrum

    def masks(self, spectrum: np.ndarray, edges: Edges, *, channels: int = 1) -> np.ndarray:
        """`[frames, bins]` to the masks of all outputs, `[frames, outputs * bins]` in [0, 1].

        Args:
          channels: whose frames are interleaved, so that the weights are read once for all.
        """
        signal = dense(self._features(spectrum, edges, channels), *self._enter)
        for block, (norm, look, mix, dilation, ahead) in enumerate(self._blocks):
            after, apart = ahead * channels, dilation * channels
            before = (KERNEL - 1) * apart - after
            normal = edges.around(("look", block), layer_norm(signal, *norm), before, after)
            branch = dense(side_by_side(normal, apart), *look)
            signal = edges.delayed(("skip", block), signal, after)
            signal += dense(np.maximum(branch, 0, out=branch), *mix)
        return sigmoid(dense(layer_norm(signal, *self._norm), *self._masks))

    def _features(self, spectrum: np.ndarray, edges: Edges, channels: int) -> np.ndarray:
        """The normalised loudness of each bin, `[frames, bins]`."""
        twice_power = 2 * (spectrum.real**2 + spectrum.imag**2)
        if any(self.level):
            mean_power = np.float32(AMPLIFIED**2 / 2) * twice_power.mean(axis=1)
            before, after = self.level
            around = edges.around("level", mean_power, before * channels, after * channels)
            gain = gain_to_one_level(around.reshape(-1, channels), before, after)
            twice_power = edges.delayed("power", twice_power, after * channels)
            twice_power *= gain.reshape(-1, 1)
        twice_power += np.float32(FLOOR)
        factor, term = self.loudness
        loudness = np.log(twice_power, out=twice_power)
        loudness *= factor
        loudness += term
        return loudness

    def synthesis(
        self, spectrum: np.ndarray, mask: np.ndarray, before: np.ndarray | None = None
    ) -> np.ndarray:
        """Overlap-add of the masked frames, `[frames * hop]`; each frame completes one more hop.

        Args:
          before: `[synthesis_frame - hop]`, the sum of the earlier frames, not complete yet. It is
            replaced by the sum that these frames leave for the next call. None: there are no
            earlier frames; the first hops, which would need them, are left out.
        """
        repeats, size = self.synthesis_frame // self.hop, self.synthesis_frame
        hops = np.zeros((len(spectrum) + repeats - 1, self.hop), np.float32)
        if before is not None:
            hops[: repeats - 1] = before.reshape(-1, self.hop)
        most = min(len(spectrum), FRAMES_PER_TRANSFORM)
        whole = np.zeros((most, self.frame // 2 + 1), transforms.COMPLEX)
        frames = np.empty((most, size), np.float32)
        for some in chunks(len(spectrum)):
            count = some.stop - some.start
            np.multiply(spectrum[some], mask[some], out=whole[:count, : self._bins])
            waves = transforms.irfft(whole[:count], self.frame)[:, -size:]
            np.multiply(waves, self.synthesis_window, out=frames[:count], casting="same_kind")
            for part in range(repeats):
                own = slice(part * self.hop, (part + 1) * self.hop)
                hops[some.start + part : some.stop + part] += frames[:count, own]
        if before is None:
            return hops[repeats - 1 :].reshape(-1)
        before[:] = hops[len(spectrum) :].reshape(-1)
        return hops[: len(spectrum)].reshape(-1)
