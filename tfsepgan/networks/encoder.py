"""The inference encoder, from a window of the mixture to latents, and a generator that is its
mirror image.

The encoder cuts the window in frames, hears how loud each bin is, looks around with dilated
convolutions, squeezes every frame to a few numbers and all of them to one latent for each track, in
(-1, 1), where the generator's latents are. The generator of kind 'oscillators' goes the same way
back, to the loudness of a bank of sines.

Source: ElAraby, Ni & Tran, "S-SepGAN", section 2.2, proposes a network that infers the latent, for
the search of Bora et al. 2017 (arXiv:1703.03208); it does not say which. The blocks are those of
the filterbank masker.
"""

import keras
from keras import layers

from tfsepgan.errors import ConfigError
from tfsepgan.layers.filterbank import Analysis
from tfsepgan.layers.oscillators import AmplitudeOfLoudness, OscillatorBank
from tfsepgan.networks.filterbank import residual_block
from tfsepgan.networks.masking import Loudness
from tfsepgan.settings.compressed_sensing import FramesConfig

DILATIONS = (1, 2, 4, 8)  # of the blocks, repeated in turn, as in the filterbank masker


def frames_of(window: int, frame: int, hop: int) -> int:
    """Frames that touch a window.

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
      window: samples it hears.
      frame, hop: of its spectra, samples.
      tracks, latent: how many latents it gives, and of how many numbers.
    Returns: `[batch, window, 1]` -> `[batch, tracks, latent]` in (-1, 1).
    Raises: ConfigError for a window that the hop does not divide.
    """
    frames_of(window, frame, hop)
    mixture = keras.Input((window, 1), name="mixture")
    spectrum = Analysis(frame, hop, frame // 2 + 1, name="analysis")(mixture)
    levels = layers.BatchNormalization(center=False, scale=False, name="levels")(
        Loudness(dtype="float32")(spectrum)
    )
    signal = over_frames(layers.Dense(config.channels, name="enter")(levels), config)
    signal = layers.Dense(config.squeeze, activation="relu", name="squeeze")(signal)
    latents = layers.Dense(tracks * latent, activation="tanh", dtype="float32", name="latents")(
        layers.Flatten()(signal)
    )
    return keras.Model(
        mixture, layers.Reshape((tracks, latent), dtype="float32")(latents), name="encoder"
    )


def oscillator_generator(
    config: FramesConfig, *, latent: int, window: int, frame: int, hop: int, seed: int
) -> keras.Model:
    """Build the generator of kind 'oscillators'.

    Args:
      config: its width and depth.
      latent: numbers that a window is made of.
      window: samples it makes.
      frame, hop: of the bank of sines, samples.
      seed: of the sines' starting phases.
    Returns: `[batch, latent]` -> `[batch, window, 1]`.
    Raises: ConfigError for a window that the hop does not divide.
    """
    count = frames_of(window, frame, hop)
    numbers = keras.Input((latent,), name="latent")
    signal = layers.Dense(count * config.squeeze, activation="relu", name="spread")(numbers)
    signal = layers.Dense(config.channels, name="enter")(
        layers.Reshape((count, config.squeeze))(signal)
    )
    loudness = layers.Dense(frame // 2 + 1, name="loudness")(over_frames(signal, config))
    bank = OscillatorBank(frame, hop, count, seed, name="bank")
    return keras.Model(
        numbers, bank(AmplitudeOfLoudness(dtype="float32")(loudness)), name="oscillators"
    )


def over_frames(signal, config: FramesConfig):
    """Residual blocks over frames, then a normalisation: `[batch, frames, channels]` -> the same
    shape."""
    for block in range(config.blocks):
        signal = residual_block(
            signal, config.channels, DILATIONS[block % len(DILATIONS)], name=f"block{block}"
        )
    return layers.LayerNormalization(epsilon=1e-3, name="norm")(signal)
