"""The paper's generator: two strided convolutions, eight residual blocks, two upsampling ones.

Source: ElAraby, Ni & Tran, "S-SepGAN", section 3.1 and figure 5, and the authors' code, layer by
layer (channels at full width):

  convolution k25 s4, 1 to 64, leaky ReLU 0.2
  convolution k25 s4, 64 to 128, leaky ReLU 0.2
  8 x signal + branch(signal), where the branch is twice:
    convolution k21, batch norm, leaky ReLU 0.2
  nearest neighbour x4, convolution k25, 128 to 64
  nearest neighbour x4, convolution k25, 64 to 1

There is no normalisation outside the blocks, and no activation between the last two convolutions or
at the end. Kernels start normal with deviation 0.02, biases at zero. Batch norm has PyTorch's
momentum and epsilon, the defaults of the authors' code.

Departs from it:
- The length is padded to a multiple of 16 and trimmed.
- Biases before a batch norm stay zero. It subtracts them again, so their gradient is zero but for
  rounding, which Adam would turn into whole steps that differ between numbers of devices.
- At inference batch norm uses its moving statistics. The authors' code separates with the
  statistics of the current windows, so that a file's stems depend on how it is cut.
- With the start 'skip' the second batch norm of each block starts at scale zero, so that the blocks
  pass the signal unchanged at first (Goyal et al. 2017, arXiv:1706.02677, section 5.1).
- With 'identity' the ends of the network pass the signal too (`passing.py`), so that it returns its
  mixture at first. The `paper` preset uses neither start.
"""

import keras
import numpy as np
from keras import layers, ops

from tfsepgan.layers.framing import PadToMultiple, SplitSources, TrimLike
from tfsepgan.layers.upsampling import UpsampledConv1D
from tfsepgan.networks.passing import passing_kernels
from tfsepgan.settings.networks import GeneratorConfig

STRIDE = 4
ENDS_KERNEL = 25
BLOCK_KERNEL = 21
HOP = STRIDE * STRIDE
SLOPE = 0.2
STRIDED_PADDING = (11, 10)  # the authors pad 11 at both ends, and never use the last sample


def resnet_context(config: GeneratorConfig) -> int:
    """Return how many samples on each side an output sample depends on; a multiple of the hop."""
    outer, inner = ENDS_KERNEL // 2 + 1, STRIDE * (ENDS_KERNEL // 2 + 1)
    blocks = HOP * config.blocks * 2 * (BLOCK_KERNEL // 2)
    reach = 2 * (outer + inner) + blocks + 2 * HOP
    return -(-reach // HOP) * HOP


def resnet(config: GeneratorConfig, *, sources: int, sample_rate_hz: int) -> keras.Model:
    """Build the paper's generator, `[batch, time, 1]` -> `[batch, sources, time, 1]`."""
    narrow, wide = config.channels // 2, config.channels
    mixture = keras.Input((None, 1), name="mixture")
    signal = PadToMultiple(HOP)(mixture)
    for index, channels in enumerate((narrow, wide)):
        padded = layers.ZeroPadding1D(STRIDED_PADDING, name=f"down{index}_pad")(signal)
        options = {"kernel_initializer": _start(), "name": f"down{index}"}
        strided = layers.Conv1D(channels, ENDS_KERNEL, STRIDE, **options)
        signal = leaky(strided(padded))
    for block in range(config.blocks):
        signal = _residual_block(signal, config, name=f"block{block}")
    for index, channels in enumerate((narrow, sources)):
        options = {"kernel_initializer": _start(), "name": f"up{index}"}
        upsampled = UpsampledConv1D(channels, ENDS_KERNEL, STRIDE, **options)
        signal = upsampled(signal)
    waveforms = layers.Activation("linear", dtype="float32")(signal)
    estimates = TrimLike(dtype="float32")(SplitSources(dtype="float32")(waveforms), mixture)
    model = keras.Model(mixture, estimates, name="resnet")
    if config.start == "identity":
        _start_as_identity(model, narrow, wide)
    return model


def _start_as_identity(model: keras.Model, narrow: int, wide: int) -> None:
    """Set the ends so that each output is its share of the mixture.

    Channels that carry no signal keep their random start; they reach no output.
    """
    kernels = passing_kernels(narrow, wide, slope=SLOPE)
    sources = model.get_layer("up1").filters
    kernels["up1"] = np.repeat(kernels["up1"] / sources, sources, axis=2)
    for name, kernel in kernels.items():
        layer = model.get_layer(name)
        unused = name.startswith("down") & ~np.any(kernel, axis=(0, 1))
        layer.kernel.assign(np.where(unused, ops.convert_to_numpy(layer.kernel), kernel))


def leaky(signal):
    """Apply the network's only activation, as a layer."""
    return layers.LeakyReLU(negative_slope=SLOPE)(signal)


def _start() -> keras.Initializer:
    return keras.initializers.RandomNormal(stddev=0.02)


def _residual_block(signal, config: GeneratorConfig, *, name: str):
    branch, last_scale = signal, "ones" if config.start == "normal" else "zeros"
    for part, scale in (("first", "ones"), ("second", last_scale)):
        options = {"kernel_initializer": _start(), "name": f"{name}_{part}"}
        convolution = layers.Conv1D(config.channels, BLOCK_KERNEL, padding="same", **options)
        norm = layers.BatchNormalization(
            momentum=0.9, epsilon=1e-5, gamma_initializer=scale, name=f"{name}_{part}_norm"
        )
        branch = leaky(norm(convolution(branch)))
        convolution.bias.trainable = False
    return layers.Add(name=f"{name}_add")([signal, branch])
