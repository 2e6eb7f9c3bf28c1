"""The streaming twin of a trained generator: one block of fixed length in, one block out, and all
that it remembers in between in one vector.

The twin shares the generator's layers and equals it in one pass, true beginning and true end
included: a convolution there sees zeros where its input ends, so the twin sets to zero every hidden
frame before the beginning and after the end. What a convolution looks ahead, the twin waits for:
its output is late by `delay` samples, which is what the network needs, to the hop.

Source: the same idea as "streaming" layers of Rybakov et al., "Streaming keyword spotting on mobile
devices", arXiv:2005.06720, section 3.
Departs from it: state is an input and an output of the model, not a variable in it, so that one
model serves any number of streams; non-causal convolutions are kept and delayed; and both ends of
the signal are exact.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import keras
from keras import layers, ops

from tfsepgan.errors import ExportError
from tfsepgan.layers.filterbank import overlap_add
from tfsepgan.layers.streaming import Inside, UnpaddedConv1D, WaveformFrames
from tfsepgan.networks.masking import Loudness, MaskSource
from tfsepgan.networks.resnet import BLOCK_KERNEL, STRIDED_PADDING, leaky
from tfsepgan.networks.resnet import HOP as RESNET_HOP
from tfsepgan.networks.streaming_memory import Clock, Memory


class StreamingTwin(NamedTuple):
    """A generator that takes a signal block by block.

    `model`: `keras.Model` of a dictionary `block [1, block, 1]`, `state [1, state]` (zeros at the
    start of a signal) and `valid [1]` int32 (how many samples of the block are signal: all of them,
    but fewer where it ends and none after that) to a dictionary `estimates [1, sources, block, 1]`,
    `residual [1, block, 1]` and the next `state`. What comes out belongs to what went in `delay`
    samples before.
    """

    model: keras.Model
    block: int  # samples
    delay: int  # samples
    state: int  # numbers


class _Parts(NamedTuple):
    """What a builder of one kind of generator gives."""

    estimates: keras.KerasTensor  # [1, sources, block, 1]
    delay: int  # samples


def streaming_twin(generator: keras.Model, *, block: int) -> StreamingTwin:
    """Make the streaming twin of a generator.

    Args:
      generator: as `build_generator` or `first_sources` gives it; the twin shares its weights.
      block: samples, a multiple of the generator's hop.
    Raises: ExportError for a generator that cannot stream, or blocks that it does not go by.
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
            f"got blocks of {block} samples; this generator streams by multiples of its hop, {hop}."
        )
    memory = Memory()
    heard, valid = (
        keras.Input(batch_shape=(1, block, 1)),
        keras.Input(batch_shape=(1,), dtype="int32"),
    )
    clock = Clock(memory, valid, hop=hop, hops=block // hop)
    mixture = clock.signal_only(heard)
    parts = build(generator, mixture, memory, clock)
    residual = memory.delayed(mixture, parts.delay)
    for source in range(parts.estimates.shape[1]):
        residual = residual - parts.estimates[:, source]
    step = keras.Model(
        [heard, valid, *memory.before], [parts.estimates, residual, *memory.after], name="step"
    )
    return StreamingTwin(_with_flat_state(step, memory, block), block, parts.delay, memory.size)


def _with_flat_state(step: keras.Model, memory: Memory, block: int) -> keras.Model:
    inputs = {
        "block": keras.Input(batch_shape=(1, block, 1), name="block"),
        "state": keras.Input(batch_shape=(1, memory.size), name="state"),
        "valid": keras.Input(batch_shape=(1,), dtype="int32", name="valid"),
    }
    estimates, residual, *after = step(
        [inputs["block"], inputs["valid"], *memory.unpack(inputs["state"])]
    )
    outputs = {"estimates": estimates, "residual": residual, "state": memory.pack(after)}
    return keras.Model(inputs, outputs, name="streaming")


class _Path(NamedTuple):
    """A signal inside a masker and how far it is behind the block."""

    signal: keras.KerasTensor  # [1, frames, ...]
    late: int  # frames


class _Maskers:
    """Frames come in one after the other; each convolution waits for as many as it looks ahead."""

    def __init__(self, generator: keras.Model, memory: Memory, clock: Clock):
        self.there = {layer.name: layer for layer in generator.layers}
        self.memory, self.clock = memory, clock
        self.analysis, self.synthesis = self.there["analysis"], self.there["synthesis"]
        # frames beside its own that a hop lies in
        self.overlap = self.analysis.frame // self.analysis.hop - 1
        self.sources = generator.output.shape[1]

    def features(self, spectrum) -> _Path:
        """The features of a spectrum."""
        late = 0
        if "at_one_level" in self.there:
            layer = self.there["at_one_level"]
            late = layer.reach
            spectrum = Inside(layer)(self.memory.with_past(spectrum, 2 * late))
        levels = self.there["levels"](Loudness(dtype="float32")(spectrum))
        if "phase_advance" in self.there:
            turning = self.there["phase_advance"](self.memory.with_past(spectrum, 1))[:, 1:]
            return _Path(self.there["features"]([levels, turning]), late)
        if "compressed" in self.there:
            return _Path(self.there["features"]([levels, self.there["compressed"](spectrum)]), late)
        return _Path(levels, late)

    def count(self, prefix: str) -> int:
        """Blocks whose names begin so."""
        return sum(name.startswith(prefix) and name.endswith("_look") for name in self.there)

    def block(self, path: _Path, name: str) -> _Path:
        """A residual block."""
        norm, look, mix, add = (
            self.there[f"{name}_{part}"] for part in ("norm", "look", "mix", "add")
        )
        branch = self.clock.inside(norm(path.signal), late=path.late, more=self.overlap)
        branch = Inside(look)(self.memory.with_past(branch, 2 * look.reach))
        if f"{name}_across" in self.there:
            branch = self.there[f"{name}_join"]([branch, self.there[f"{name}_across"](branch)])
        return _Path(
            add([self.memory.delayed(path.signal, look.reach), mix(branch)]), path.late + look.reach
        )

    def blocks(self, path: _Path) -> _Path:
        """The stack of them."""
        for block in range(self.count("block")):
            path = self.block(path, f"block{block}")
        return path

    def parts(self, mixture, look_through: Callable[["_Maskers", _Path], _Path]) -> _Parts:
        """The whole twin, from what leads from features to the signal that masks are made of."""
        spectrum = Inside(self.analysis)(
            self.memory.with_past(mixture, self.analysis.frame - self.analysis.hop)
        )
        signal, late = look_through(self, self.features(spectrum))
        masks, turns = self._head(signal, "masks"), self._head(signal, "turns")
        spectrum = self.memory.delayed(spectrum, late)
        waveforms = []
        for source in range(self.sources):
            share = MaskSource(source, self.analysis.bins)(masks, spectrum, turns)
            frames = WaveformFrames(self.synthesis)(share)
            waveform = overlap_add(self.memory.with_past(frames, self.overlap), self.analysis.hop)
            waveforms.append(ops.expand_dims(waveform, -1))
        return _Parts(ops.stack(waveforms, axis=1), (late + self.overlap) * self.analysis.hop)

    def _head(self, signal, name: str):
        if name not in self.there:
            return None
        given = self.there[name](signal)
        return self.there[f"unfold_{name}"](given) if f"unfold_{name}" in self.there else given


def _masker(look_through: Callable[[_Maskers, _Path], _Path]) -> Callable[..., _Parts]:
    def build(generator: keras.Model, mixture, memory: Memory, clock: Clock) -> _Parts:
        return _Maskers(generator, memory, clock).parts(mixture, look_through)

    return build


def _filterbank(twin: _Maskers, features: _Path) -> _Path:
    signal, late = twin.blocks(_Path(twin.there["enter"](features.signal), features.late))
    return _Path(twin.there["norm"](signal), late)


def _band_split(twin: _Maskers, features: _Path) -> _Path:
    signal, late = twin.blocks(_Path(twin.there["enter"](features.signal), features.late))
    return _Path(twin.there["own"](twin.there["norm"](signal)), late)


def _tfc_tdf(twin: _Maskers, features: _Path) -> _Path:
    """What skips the deeper levels waits for them."""
    there = twin.there
    path = _Path(there["places"](there["enter"](there["fold"](features.signal))), features.late)
    skips = []
    for level in range(twin.count("down")):
        path = twin.block(path, f"down{level}")
        skips.append(path)
        path = _Path(there[f"halve{level}"](there[f"halve{level}_pair"](path.signal)), path.late)
    path = twin.blocks(path)
    for level, skip in reversed(list(enumerate(skips))):
        doubled = there[f"double{level}_part"](there[f"double{level}"](path.signal))
        waited = twin.memory.delayed(skip.signal, path.late - skip.late)
        path = twin.block(_Path(there[f"skip{level}"]([waited, doubled]), path.late), f"up{level}")
    return _Path(there["norm"](path.signal), path.late)


def _resnet(generator: keras.Model, mixture, memory: Memory, clock: Clock) -> _Parts:
    """Every convolution waits for what it looks ahead, at the rate of its input."""
    there = {layer.name: layer for layer in generator.layers}

    def look(signal, late: int, name: str, before: int):
        """A convolution that was trained with `before` zeros at the front, as late as it must be."""
        convolution = there[name]
        (kernel,), (stride,) = convolution.kernel_size, convolution.strides
        later = math.ceil((kernel - stride - before + late) / stride)
        stretch = memory.with_past(clock.inside(signal, late=late), stride * later + before - late)
        frames = signal.shape[1] // stride
        return UnpaddedConv1D(convolution)(stretch[:, : stride * (frames - 1) + kernel]), later

    signal, late = mixture, 0  # samples of the rate at hand
    for name in ("down0", "down1"):
        signal, late = look(signal, late, name, STRIDED_PADDING[0])
        signal = leaky(signal)
    for block in range(sum(name.endswith("_first") for name in there)):
        branch, after = signal, late
        for part in (f"block{block}_first", f"block{block}_second"):
            branch, after = look(branch, after, part, BLOCK_KERNEL // 2)
            branch = leaky(there[f"{part}_norm"](branch))
        signal, late = (
            there[f"block{block}_add"]([memory.delayed(signal, after - late), branch]),
            after,
        )
    for name in ("up0", "up1"):
        upsampled = there[name]
        stretch = memory.with_past(clock.inside(signal, late=late), 2 * upsampled.reach)
        signal, late = Inside(upsampled)(stretch), (late + upsampled.reach) * upsampled.stride
    waveforms = layers.Activation("linear", dtype="float32")(signal)
    estimates = ops.expand_dims(ops.transpose(waveforms, (0, 2, 1)), -1)
    return _Parts(estimates[:, : generator.output.shape[1]], late)


class _Twin(NamedTuple):
    hop: Callable[[keras.Model], int]
    build: Callable[..., _Parts]


def _frame_hop(generator: keras.Model) -> int:
    return generator.get_layer("analysis").hop


TWINS = {
    "filterbank": _Twin(_frame_hop, _masker(_filterbank)),
    "tfc_tdf": _Twin(_frame_hop, _masker(_tfc_tdf)),
    "band_split": _Twin(_frame_hop, _masker(_band_split)),
    "resnet": _Twin(lambda generator: RESNET_HOP, _resnet),
}
