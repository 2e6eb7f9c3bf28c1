"""The inference encoder, from a window of the mixture to latents, and the 'oscillators' generator.

The encoder cuts the window into frames and takes the loudness of each bin. Dilated convolutions
add context; each frame is reduced to a few numbers, and all frames to one latent for each source,
in (-1, 1), the range of the generator's latents. The generator of kind 'oscillators' is its mirror
image, from the latent to the loudness of a bank of sines.

Source: ElAraby, Ni & Tran, "S-SepGAN", section 2.2, proposes a network that infers the latent, for
the search of Bora et al. 2017 (arXiv:1703.03208), but does not describe it. The blocks are those of
the filterbank masker.
"""

import keras
from keras import layers

from tfsepgan.errors import ConfigError
from tfsepgan.layers.filterbank import Analysis
from tfsepgan.layers.oscillators import AmplitudeOfLoudness, OscillatorBank
from tfsepgan.networks.filterbank import residual_block
from tfsepgan.networks.masking import loudness_levels
from tfsepgan.settings.compressed_sensing import FramesConfig

DILATIONS = (1, 2, 4, 8)  # of the blocks, repeated in turn, as in the filterbank masker


def frames_of(window: int, frame: int, hop: int) -> int:
    """Return the number of frames that overlap a window.

    Raises: ConfigError for a window that the hop does not divide.
    """
    if window % hop:
        raise ConfigError(
            f"window is {window} and hop {hop} samples; the window must be a multiple of the hop."
        )
    return window // hop + frame // hop - 1


def inference_encoder(
    config: FramesConfig, *, window: int, frame: int, hop: int, tracks: int, latent: int
) -> keras.Model:
    """Build the encoder.

    Args:
      config: its width and depth.
      window: length of its input, in samples.
      frame, hop: frame length and step of its spectra, in samples.
      tracks: number of latents, one for each source.
      latent: numbers in a latent.
    Returns: `[batch, window, 1]` -> `[batch, tracks, latent]` in (-1, 1).
    Raises: ConfigError for a window that the hop does not divide.
    """
    frames_of(window, frame, hop)
    mixture = keras.Input((window, 1), name="mixture")
    spectrum = Analysis(frame, hop, frame // 2 + 1, name="analysis")(mixture)
    levels = loudness_levels(spectrum)
    signal = over_frames(layers.Dense(config.channels, name="enter")(levels), config)
    signal = layers.Dense(config.squeeze, activation="relu", name="squeeze")(signal)
    numbers = layers.Dense(tracks * latent, activation="tanh", dtype="float32", name="latents")
    latents = layers.Reshape((tracks, latent), dtype="float32")(numbers(layers.Flatten()(signal)))
    return keras.Model(mixture, latents, name="encoder")


def oscillator_generator(
    config: FramesConfig, *, latent: int, window: int, frame: int, hop: int, seed: int
) -> keras.Model:
    """Build the generator of kind 'oscillators'.

    Args:
      config: its width and depth.
      latent: numbers that a window is generated from.
      window: length of its output, in samples.
      frame, hop: frame length and step of the bank of sines, in samples.
      seed: seed of the sines' initial phases.
    Returns: `[batch, latent]` -> `[batch, window, 1]`.
    Raises: ConfigError for a window that the hop does not divide.
    """
    count = frames_of(window, frame, hop)
    numbers = keras.Input((latent,), name="latent")
    signal = layers.Dense(count * config.squeeze, activation="relu", name="spread")(numbers)
    signal = layers.Reshape((count, config.squeeze))(signal)
    signal = layers.Dense(config.channels, name="enter")(signal)
    loudness = layers.Dense(frame // 2 + 1, name="loudness")(over_frames(signal, config))
    bank = OscillatorBank(frame, hop, count, seed, name="bank")
    sound = bank(AmplitudeOfLoudness(dtype="float32")(loudness))
    return keras.Model(numbers, sound, name="oscillators")


def over_frames(signal, config: FramesConfig):
    """Apply residual blocks and a norm to `[batch, frames, channels]`; the shape stays."""
    for block in range(config.blocks):
        dilation = DILATIONS[block % len(DILATIONS)]
        signal = residual_block(signal, config.channels, dilation, name=f"block{block}")
    return layers.LayerNormalization(epsilon=1e-3, name="norm")(signal)
