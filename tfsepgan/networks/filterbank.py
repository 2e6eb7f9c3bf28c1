"""The filterbank masker: a generator that masks a short-time transform inside the network.

Waveform in, waveform out: analysis; a mask in [0, 1] for each source, frame and bin, from a stack
of dilated convolutions over time; synthesis. The phase is that of the mixture.

Source: the mask is that of Huang et al. 2015 (arXiv:1502.04149) and SVSGAN (arXiv:1710.11428). The
dilated residual stack is Conv-TasNet's idea (arXiv:1809.07454) with dense convolutions, which are
faster than separable ones on two CPU cores.
Departs from them:
- Each frame is normalised alone and nothing globally, so that long files can be cut into exact
  blocks.
- With the features 'instantaneous_frequency' the input has the phase advance of each bin too
  (GANSynth's representation, arXiv:1902.08710).
"""

import keras
from keras import layers

from tfsepgan.dsp.filterbank import EPSILON, KERNEL, frames_ahead
from tfsepgan.layers.dilated import DilatedConv1D
from tfsepgan.networks.masking import dilation_of, masked, masker_inputs
from tfsepgan.settings.networks import GeneratorConfig


def filterbank(config: GeneratorConfig, *, sources: int, sample_rate_hz: int) -> keras.Model:
    """Build the filterbank masker, `[batch, time, 1]` -> `[batch, sources, time, 1]`."""
    inputs = masker_inputs(config, sample_rate_hz)
    signal = layers.Dense(config.channels, name="enter")(inputs.features)
    ahead = frames_ahead(config.dilations, config.blocks, config.look_ahead_frames)
    for block in range(config.blocks):
        options = {"ahead": ahead[block], "dropout": config.dropout, "name": f"block{block}"}
        signal = residual_block(signal, config.channels, dilation_of(config, block), **options)
    signal = layers.LayerNormalization(epsilon=EPSILON, name="norm")(signal)

    def head(name: str, activation: str):
        return layers.Dense(sources * inputs.bins, activation=activation, name=name)(signal)

    return masked(config, inputs, head, sources=sources)


def residual_block(
    signal,
    channels: int,
    dilation: int,
    *,
    ahead: int | None = None,
    dropout: float = 0.0,
    name: str,
):
    """Add a branch to the signal: norm, dilated convolution over frames, dense layer.

    Args:
      ahead: frames that the convolution looks into the future; None: as many as into the past.
    """
    branch = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm")(signal)
    if dropout:
        branch = layers.SpatialDropout1D(dropout, name=f"{name}_drop")(branch)
    look = DilatedConv1D(channels, KERNEL, dilation, "relu", ahead, name=f"{name}_look")
    branch = look(branch)
    branch = layers.Dense(channels, name=f"{name}_mix")(branch)
    return layers.Add(name=f"{name}_add")([signal, branch])
