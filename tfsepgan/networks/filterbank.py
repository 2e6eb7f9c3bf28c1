"""The filterbank masker: a generator that turns frequencies up and down, inside a short-time
transform, keeping their phase.

Waveform in, waveform out: analysis, a mask in [0, 1] for each source, frame and bin from a stack of
dilated convolutions over time, synthesis.

Source: the mask is that of Huang et al. 2015 (arXiv:1502.04149) and SVSGAN (arXiv:1710.11428); the
dilated residual stack is Conv-TasNet's idea (arXiv:1809.07454) with dense convolutions, which two
CPU cores like better than separable ones.
Departs from them: normalisation by frame and nothing global, so that long files can be cut into
exact blocks. With the features 'instantaneous_frequency' it also hears how the phase of each bin
turns (GANSynth's representation, arXiv:1902.08710).
"""

import keras
from keras import layers

from tfsepgan.layers.dilated import DilatedConv1D
from tfsepgan.networks.masking import context_of, dilation_of, hear, masked
from tfsepgan.settings.networks import GeneratorConfig

KERNEL = 3  # frames


def filterbank_context(config: GeneratorConfig) -> int:
    """Samples either side of an output sample that it depends on, a multiple of the hop."""
    reach = sum(dilation_of(config, block) for block in range(config.blocks))
    return context_of(config, reach * (KERNEL - 1) // 2)


def filterbank(config: GeneratorConfig, *, sources: int, sample_rate_hz: int) -> keras.Model:
    """Build the filterbank masker, `[batch, time, 1]` -> `[batch, sources, time, 1]`."""
    heard = hear(config, sample_rate_hz)
    signal = layers.Dense(config.channels, name="enter")(heard.features)
    for block in range(config.blocks):
        dilation = dilation_of(config, block)
        signal = residual_block(
            signal, config.channels, dilation, dropout=config.dropout, name=f"block{block}"
        )
    signal = layers.LayerNormalization(epsilon=1e-3, name="norm")(signal)
    outputs = sources * heard.bins
    masks, turns = layers.Dense(outputs, activation="sigmoid", name="masks")(signal), None
    if config.mask == "complex":
        turns = layers.Dense(outputs, activation="tanh", name="turns")(signal)
    return masked(config, heard, masks, turns, sources=sources)


def residual_block(signal, channels: int, dilation: int, *, dropout: float = 0.0, name: str):
    """Normalise, look `dilation` frames around, add what was found."""
    branch = layers.LayerNormalization(epsilon=1e-3, name=f"{name}_norm")(signal)
    if dropout:
        branch = layers.SpatialDropout1D(dropout, name=f"{name}_drop")(branch)
    branch = DilatedConv1D(channels, KERNEL, dilation, activation="relu", name=f"{name}_look")(
        branch
    )
    branch = layers.Dense(channels, name=f"{name}_mix")(branch)
    return layers.Add(name=f"{name}_add")([signal, branch])
