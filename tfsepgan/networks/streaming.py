"""The streaming version of a trained generator: fixed blocks in and out, one state vector.

The streaming twin shares the generator's layers. Its output equals that of the generator on the
whole signal, start and end included: there a convolution has zeros beyond its input, so the twin
sets every hidden frame before the start and after the end to zero. It delays its output by the
look-ahead of its convolutions: `delay` samples, the smallest number of hops that the network needs.

Source: the "streaming" layers of Rybakov et al., "Streaming keyword spotting on mobile devices",
arXiv:2005.06720, section 3.
Departs from it:
- The state is an input and an output of the model, not a variable, so that one model serves any
  number of streams.
- Non-causal convolutions are kept and delayed.
- Both ends of the signal are exact.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import keras
from keras import layers, ops

from tfsepgan.errors import ExportError
from tfsepgan.layers.filterbank import overlap_add
from tfsepgan.layers.matrix_fourier import MatrixBins, MatrixFrames
from tfsepgan.layers.streaming import Inside, UnpaddedConv1D, WaveformFrames
from tfsepgan.networks.masking import Loudness, MaskSource
from tfsepgan.networks.resnet import BLOCK_KERNEL, STRIDED_PADDING, leaky
from tfsepgan.networks.resnet import HOP as RESNET_HOP
from tfsepgan.networks.streaming_memory import Clock, Memory


class StreamingTwin(NamedTuple):
    """A generator that processes a signal block by block.

    `model` is a `keras.Model` from a dictionary of
    - `block [channels, block, 1]`,
    - `state [channels, state]`, zeros at the start of a signal,
    - `valid [1]` int32, the samples of the block that are signal: all of them, fewer in the block
      where the signal ends, and 0 after it,

    to a dictionary of `estimates [channels, sources, block, 1]`, `residual [channels, block, 1]`
    and the next `state`. The output is `delay` samples behind the input. Channels are processed
    alike, each on its own.
    """

    model: keras.Model
    block: int  # samples
    delay: int  # samples
    state: int  # numbers of a channel
    channels: int


class _Delayed(NamedTuple):
    """The output of a builder of one kind of generator."""

    estimates: keras.KerasTensor  # [channels, sources, block, 1]
    delay: int  # samples


def streaming_twin(
    generator: keras.Model, *, block: int, channels: int = 1, complex_numbers: bool = True
) -> StreamingTwin:
    """Build the streaming twin of a generator.

    Args:
      generator: from `build_generator` or `first_sources`; the twin shares its weights.
      block: samples, a multiple of the generator's hop.
      channels: of the signal.
      complex_numbers: False builds it from real numbers only, see `layers.matrix_fourier`.
    Raises: ExportError for a generator that cannot stream, or a block that is not such a multiple.
    """
    if generator.name not in TWINS:
        raise ExportError(
            f"a generator of kind {generator.name!r} has no streaming twin; those that have one are"
            f" {', '.join(TWINS)}. Export it without the streaming variants."
        )
    hop_of, build = TWINS[generator.name]
    hop = hop_of(generator)
    if block < hop or block % hop:
        raise ExportError(
            f"got blocks of {block} samples; they must be multiples of this generator's hop, {hop}."
        )
    memory = Memory(channels)
    signal = keras.Input(batch_shape=(channels, block, 1))
    valid = keras.Input(batch_shape=(1,), dtype="int32")
    clock = Clock(memory, valid, hop=hop, hops=block // hop)
    mixture = clock.signal_only(signal)
    delayed = build(generator, mixture, memory, clock, complex_numbers=complex_numbers)
    residual = memory.delayed(mixture, delayed.delay)
    for estimate in each_source(delayed.estimates):
        residual = residual - estimate
    outputs = [delayed.estimates, residual, *memory.after]
    step = keras.Model([signal, valid, *memory.before], outputs, name="step")
    model = _with_flat_state(step, memory, block)
    return StreamingTwin(model, block, delayed.delay, memory.size, channels)


def each_source(estimates) -> list:
    """Split `[channels, sources, block, 1]` into `[channels, block, 1]` for each source."""
    channels, sources, *rest = estimates.shape
    if sources == 1:  # LiteRT's WebGPU runtime aborts on a split into one
        return [ops.reshape(estimates, (channels, *rest))]
    return [ops.squeeze(one, 1) for one in ops.split(estimates, sources, axis=1)]


def _with_flat_state(step: keras.Model, memory: Memory, block: int) -> keras.Model:
    inputs = {
        "block": keras.Input(batch_shape=(memory.channels, block, 1), name="block"),
        "state": keras.Input(batch_shape=(memory.channels, memory.size), name="state"),
        "valid": keras.Input(batch_shape=(1,), dtype="int32", name="valid"),
    }
    given = [inputs["block"], inputs["valid"], *memory.unpack(inputs["state"])]
    estimates, residual, *after = step(given)
    outputs = {"estimates": estimates, "residual": residual, "state": memory.pack(after)}
    return keras.Model(inputs, outputs, name="streaming")


class _Path(NamedTuple):
    """A signal inside a masker, and its delay relative to the block."""

    signal: keras.KerasTensor  # [channels, frames, ...]
    late: int  # frames


class _Maskers:
    """The twin of a masker: frames arrive in order; convolutions wait for their look-ahead."""

    def __init__(self, generator: keras.Model, memory: Memory, clock: Clock, *, complex_numbers):
        self.layers = {layer.name: layer for layer in generator.layers}
        self.memory, self.clock = memory, clock
        self.analysis, synthesis = self.layers["analysis"], self.layers["synthesis"]
        self.bins_of, self.frames_of = Inside(self.analysis), WaveformFrames(synthesis)
        if not complex_numbers and not self.analysis.learnable:
            self.bins_of = MatrixBins(self.analysis)
            self.frames_of = MatrixFrames(synthesis, bins=self.analysis.bins)
        # other frames that a hop is part of
        self.overlap = self.analysis.synthesis_frame // self.analysis.hop - 1
        self.sources = generator.output.shape[1]

    def features(self, spectrum) -> _Path:
        """Return the input of the mask network for a spectrum."""
        late = 0
        if "at_one_level" in self.layers:
            layer = self.layers["at_one_level"]
            late = layer.ahead
            spectrum = Inside(layer)(self.memory.with_past(spectrum, layer.reach + late))
        levels = self.layers["levels"](Loudness(dtype="float32")(spectrum))
        if "phase_advance" in self.layers:
            turning = self.layers["phase_advance"](self.memory.with_past(spectrum, 1))[:, 1:]
            return _Path(self.layers["features"]([levels, turning]), late)
        if "compressed" in self.layers:
            compressed = self.layers["compressed"](spectrum)
            return _Path(self.layers["features"]([levels, compressed]), late)
        return _Path(levels, late)

    def count(self, prefix: str) -> int:
        """Return the number of blocks whose names start with `prefix`."""
        return sum(name.startswith(prefix) and name.endswith("_look") for name in self.layers)

    def block(self, path: _Path, name: str) -> _Path:
        """Apply a residual block."""
        parts = ("norm", "look", "mix", "add")
        norm, look, mix, add = (self.layers[f"{name}_{part}"] for part in parts)
        branch = self.clock.inside(norm(path.signal), late=path.late, more=self.overlap)
        branch = Inside(look)(self.memory.with_past(branch, 2 * look.reach))
        if f"{name}_across" in self.layers:
            branch = self.layers[f"{name}_join"]([branch, self.layers[f"{name}_across"](branch)])
        waited = self.memory.delayed(path.signal, look.ahead)
        return _Path(add([waited, mix(branch)]), path.late + look.ahead)

    def blocks(self, path: _Path) -> _Path:
        """Apply the stack of blocks."""
        for block in range(self.count("block")):
            path = self.block(path, f"block{block}")
        return path

    def head(self, signal, name: str):
        if name not in self.layers:
            return None
        outputs, unfold = self.layers[name](signal), self.layers.get(f"unfold_{name}")
        return unfold(outputs) if unfold else outputs


def _masker(
    look_through: Callable[[_Maskers, _Path], _Path],
    generator: keras.Model,
    mixture,
    memory: Memory,
    clock: Clock,
    *,
    complex_numbers: bool,
) -> _Delayed:
    """Build the twin of a masker; `look_through` maps features to the signal before the masks."""
    twin = _Maskers(generator, memory, clock, complex_numbers=complex_numbers)
    past = twin.analysis.frame - twin.analysis.hop
    spectrum = twin.bins_of(twin.memory.with_past(mixture, past))
    signal, late = look_through(twin, twin.features(spectrum))
    masks, turns = twin.head(signal, "masks"), twin.head(signal, "turns")
    spectrum = twin.memory.delayed(spectrum, late)
    waveforms = []
    for source in range(twin.sources):
        share = MaskSource(source, twin.analysis.bins)(masks, spectrum, turns)
        frames = twin.memory.with_past(twin.frames_of(share), twin.overlap)
        waveform = overlap_add(frames, twin.analysis.hop)
        waveforms.append(ops.expand_dims(waveform, -1))
    return _Delayed(ops.stack(waveforms, axis=1), (late + twin.overlap) * twin.analysis.hop)


def _along_time(twin: _Maskers, features: _Path) -> _Path:
    """Apply the blocks of `filterbank`, or those of `band_split` and each band's own layer."""
    signal, late = twin.blocks(_Path(twin.layers["enter"](features.signal), features.late))
    signal = twin.layers["norm"](signal)
    return _Path(twin.layers["own"](signal) if "own" in twin.layers else signal, late)


def _tfc_tdf(twin: _Maskers, features: _Path) -> _Path:
    """Apply the U-Net; skip connections are delayed as much as the deeper levels."""
    by_name = twin.layers
    entered = by_name["enter"](by_name["fold"](features.signal))
    path = _Path(by_name["places"](entered), features.late)
    skips = []
    for level in range(twin.count("down")):
        path = twin.block(path, f"down{level}")
        skips.append(path)
        halved = by_name[f"halve{level}"](by_name[f"halve{level}_pair"](path.signal))
        path = _Path(halved, path.late)
    path = twin.blocks(path)
    for level, skip in reversed(list(enumerate(skips))):
        doubled = by_name[f"double{level}_part"](by_name[f"double{level}"](path.signal))
        waited = twin.memory.delayed(skip.signal, path.late - skip.late)
        joined = _Path(by_name[f"skip{level}"]([waited, doubled]), path.late)
        path = twin.block(joined, f"up{level}")
    return _Path(by_name["norm"](path.signal), path.late)


def _resnet(
    generator: keras.Model, mixture, memory: Memory, clock: Clock, *, complex_numbers: bool
) -> _Delayed:
    """Build the twin of the paper's generator, which has no complex numbers in any case.

    Each convolution waits for its look-ahead.
    """
    by_name = {layer.name: layer for layer in generator.layers}

    def look(signal, late: int, name: str, before: int):
        """Apply a convolution trained with `before` zeros at the front, with the least delay."""
        convolution = by_name[name]
        (kernel,), (stride,) = convolution.kernel_size, convolution.strides
        later = math.ceil((kernel - stride - before + late) / stride)
        extended = memory.with_past(clock.inside(signal, late=late), stride * later + before - late)
        frames = signal.shape[1] // stride
        return UnpaddedConv1D(convolution)(extended[:, : stride * (frames - 1) + kernel]), later

    signal, late = mixture, 0  # in samples at the current rate
    for name in ("down0", "down1"):
        signal, late = look(signal, late, name, STRIDED_PADDING[0])
        signal = leaky(signal)
    for block in range(sum(name.endswith("_first") for name in by_name)):
        branch, after = signal, late
        for part in (f"block{block}_first", f"block{block}_second"):
            branch, after = look(branch, after, part, BLOCK_KERNEL // 2)
            branch = leaky(by_name[f"{part}_norm"](branch))
        signal = by_name[f"block{block}_add"]([memory.delayed(signal, after - late), branch])
        late = after
    for name in ("up0", "up1"):
        upsampled = by_name[name]
        extended = memory.with_past(clock.inside(signal, late=late), 2 * upsampled.reach)
        signal, late = Inside(upsampled)(extended), (late + upsampled.reach) * upsampled.stride
    waveforms = layers.Activation("linear", dtype="float32")(signal)
    estimates = ops.expand_dims(ops.transpose(waveforms, (0, 2, 1)), -1)
    return _Delayed(estimates[:, : generator.output.shape[1]], late)


class _Twin(NamedTuple):
    hop: Callable[[keras.Model], int]
    build: Callable[..., _Delayed]


def _frame_hop(generator: keras.Model) -> int:
    return generator.get_layer("analysis").hop


TWINS = {
    "filterbank": _Twin(_frame_hop, partial(_masker, _along_time)),
    "tfc_tdf": _Twin(_frame_hop, partial(_masker, _tfc_tdf)),
    "band_split": _Twin(_frame_hop, partial(_masker, _along_time)),
    "resnet": _Twin(lambda generator: RESNET_HOP, _resnet),
}
