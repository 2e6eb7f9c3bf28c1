"""The paper's generator: two strided convolutions, eight residual blocks, two upsampling convolutions.

Source: ElAraby, Ni & Tran, "S-SepGAN", section 3.1 and the authors' code: conv k25 s4 1 to 64, k25 s4 64 to 128, eight
residual blocks of two convs k21 at 128 channels with batch norm and leaky ReLU 0.2, twice (nearest x4 + conv k25).
Departs from it: the length is padded to a multiple of 16 and trimmed; at inference batch norm uses its moving
statistics (the original used those of the batch at hand).
"""

import keras
from keras import layers

from tfsepgan.layers.framing import PadToMultiple, SplitSources, TrimLike
from tfsepgan.settings.networks import GeneratorConfig

STRIDE = 4
ENDS_KERNEL = 25
BLOCK_KERNEL = 21
HOP = STRIDE * STRIDE


def resnet_context(config: GeneratorConfig) -> int:
    """Samples either side of an output sample that it depends on, a multiple of the hop."""
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
        signal = layers.Conv1D(channels, ENDS_KERNEL, STRIDE, padding="same", name=f"down{index}")(signal)
        signal = layers.LeakyReLU(negative_slope=0.2)(layers.BatchNormalization()(signal))
    for block in range(config.blocks):
        signal = _residual_block(signal, wide, name=f"block{block}")
    signal = layers.UpSampling1D(STRIDE)(signal)
    signal = layers.Conv1D(narrow, ENDS_KERNEL, padding="same", name="up0")(signal)
    signal = layers.LeakyReLU(negative_slope=0.2)(layers.BatchNormalization()(signal))
    signal = layers.UpSampling1D(STRIDE)(signal)
    signal = layers.Conv1D(sources, ENDS_KERNEL, padding="same", name="up1")(signal)
    waveforms = layers.Activation("tanh", dtype="float32")(signal)
    estimates = TrimLike(dtype="float32")(SplitSources(dtype="float32")(waveforms), mixture)
    return keras.Model(mixture, estimates, name="resnet")


def _residual_block(signal, channels: int, *, name: str):
    branch = layers.Conv1D(channels, BLOCK_KERNEL, padding="same", name=f"{name}_first")(signal)
    branch = layers.LeakyReLU(negative_slope=0.2)(layers.BatchNormalization()(branch))
    branch = layers.Conv1D(channels, BLOCK_KERNEL, padding="same", name=f"{name}_second")(branch)
    branch = layers.BatchNormalization()(branch)
    return layers.Add(name=f"{name}_add")([signal, branch])
