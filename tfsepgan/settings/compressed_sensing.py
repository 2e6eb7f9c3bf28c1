"""Settings and presets of compressed sensing with a generator (Bora et al. 2017, 1703.03208)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from tfsepgan.config import DataConfig, TrainingConfig
from tfsepgan.config.limits import above_zero, at_least
from tfsepgan.settings import presets as shared
from tfsepgan.settings.base import SystemConfig, frame_and_hop, presets_of
from tfsepgan.settings.networks import DiscriminatorConfig, SynthesizerConfig
from tfsepgan.settings.search import MEANS, WIDTHS, Around, Multiples

GeneratorKind = Literal["wavegan", "oscillators"]
Objective = Literal["wgan-gp", "hinge", "vanilla", "lsgan"]
Distance = Literal["waveform", "spectrum"]
Estimate = Literal["waveform", "mask"]


@dataclass(frozen=True, kw_only=True)
class FramesConfig:
    """A network over the frames of a window: the encoder, or the generator 'oscillators'."""

    channels: int = 256  # the filterbank masker's
    """Width of the network."""
    blocks: int = 4  # with dilations 1, 2, 4, 8 the context is 15 frames either way
    """Residual blocks; more have a longer context."""
    squeeze: int = 64  # 4 frames of 64 numbers give 256, more than a quarter of a second of latents
    """Numbers for each frame between the network and the latent."""

    def problems(self, prefix: str) -> Iterator[str]:
        """Yield one sentence for each setting that no network can have."""
        yield from at_least(self, f"{prefix}.", channels=1, blocks=1, squeeze=1)


@dataclass(frozen=True, kw_only=True)
class CompressedSensingConfig(SystemConfig):
    """Compressed sensing: its networks, their training, and the search for a mixture's latents."""

    prior: str | None = None
    """Run or model folder of a trained `wavegan`, which is then the generator and is not trained;
    None: the run trains its own generator."""
    # the paper's is a DCGAN, of which WaveGAN is the one for sound
    generator_kind: GeneratorKind = "wavegan"
    """'wavegan': transposed convolutions; 'oscillators': a bank of sines, one for each bin, whose
    amplitudes the latent controls."""
    generator: SynthesizerConfig = field(default_factory=SynthesizerConfig)
    """`latent` applies to both kinds, the other settings to 'wavegan'."""
    oscillators: FramesConfig = field(default_factory=lambda: FramesConfig(blocks=2))
    """The network over frames of kind 'oscillators'."""
    encoder: FramesConfig = field(default_factory=FramesConfig)
    """The inference encoder: from a window of the mixture to the latents."""
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    """The discriminator for the run's own generator."""
    frame: int = 1024  # at 16 kHz the best of the filterbank masker's, docs/benchmarks.md
    """Frame length, in samples, of the spectra that the encoder, the distance and the masks use."""
    hop: int = 512  # half a frame: the fewest frames that give the signal back
    """Step between frames, in samples; it must divide the frame and the window."""
    models_rest: bool = False  # the paper has one generator
    """Add a generator for the residual, so that the sum of all generators can explain the whole
    mixture. There is none where every source is named."""
    # the paper's images all have one range; recordings differ by 30 dB
    level_dbfs: float | None = None
    """RMS level in dBFS to which every window of a mixture is scaled; None: not scaled."""

    objective: Objective = "wgan-gp"  # WaveGAN's
    """Adversarial objective of the run's own generator."""
    discriminator_steps: int = 5  # WaveGAN's
    """Discriminator steps for each step of the generator, on the same batch."""
    penalty_weight: float = 10.0  # Gulrajani et al. 2017
    """Weight of the gradient penalty (objective 'wgan-gp')."""
    adversarial_weight: float = 1.0  # WaveGAN's
    """Weight of the adversarial loss; 0 trains without a discriminator."""
    adversarial_share: float = 1.0  # all of the batch
    """Share of the batch that is used by the discriminator and by the encoder's loss on generated
    windows, above 0 to 1; less is faster."""
    teach_generator: bool = False  # the paper's generator is a plain GAN
    """Train the generator also on what the encoder recovers, as the decoder of an autoencoder."""

    distance: Distance = "waveform"  # the paper's
    """What the search minimises: 'waveform', the squared error; 'spectrum', the difference of the
    magnitudes of the bins, without phase."""
    distance_weight: float = 1.0  # sets the unit of the others
    """Weight, in training, of the distance between what the encoder recovers and the source."""
    paired_weight: float = 0.0  # not in the paper
    """Weight, in training, of the L1 distance between estimate and source."""
    made_weight: float = 1.0  # the encoder's one label that is exact
    """Weight of the encoder's error on the latents of windows that the generator made."""
    latent_weight: float = 0.001  # the paper's lambda for its DCGAN
    """Weight of the squared length of the latents, in training and search."""
    unexplained_weight: float = 1.0  # both signs alike, as the paper's norm
    """Weight of energy that the mixture has and the recovered sources lack, relative to energy that
    they have too much (distance 'spectrum')."""

    taught_iterations: int = 0  # the paper's search uses networks that were trained without it
    """Steps of the search that training runs through, so that encoder and generator learn from its
    end; 0: from its start."""

    encoder_start: bool = True  # S-SepGAN, section 2.2
    """Start the first search at the encoder's latents; False: start all at random, as the paper."""
    restarts: int = 2  # the paper's for its DCGAN, 10 for its VAE
    """Searches of each window, each from its own latent; the best one counts."""
    iterations: int = 500  # the paper's for its DCGAN, 1000 for its VAE
    """Steps of Adam in each search; more are better and slower, 0 takes the best start."""
    search_rate: float = 0.1  # the paper's for its DCGAN, 0.01 for its VAE (the authors' scripts)
    """Learning rate of the search."""
    estimate: Estimate = "waveform"  # the paper's
    """How the latents become an estimate: 'waveform', the output of the generator; 'mask', its
    share of the mixture's spectrum."""

    def own_problems(self) -> Iterator[str]:
        """Yield one sentence for each setting of this system alone that no run can use."""
        yield from at_least(
            self, discriminator_steps=1, restarts=1, iterations=0, taught_iterations=0, frame=4
        )
        yield from frame_and_hop(self)
        if not 0 < self.adversarial_share <= 1:
            yield (
                f"adversarial_share is {self.adversarial_share}; it must be above 0 and at most 1."
            )
        yield from above_zero(self, "search_rate")
        if self.prior is not None and self.generator_kind != "wavegan":
            yield (
                f"generator_kind is {self.generator_kind!r} with a prior, which is a WaveGAN; take"
                " 'wavegan', or no prior."
            )
        if self.models_rest and not self.teach_generator:
            yield (
                "models_rest is on and teach_generator off, so the generator of the residual learns"
                " nothing; turn teach_generator on."
            )
        if self.prior is None and not (self.adversarial_weight or self.teach_generator):
            yield (
                "The generator has nothing to learn from: adversarial_weight is 0 and"
                " teach_generator off. Name a prior, or turn one on."
            )


PRESETS = presets_of(
    "compressed_sensing",
    tiny={
        "model": CompressedSensingConfig(
            generator=SynthesizerConfig(latent=8, channels=4),
            encoder=FramesConfig(channels=16, blocks=1, squeeze=4),
            discriminator=shared.TINY_DISCRIMINATOR,
            frame=256,
            hop=128,
            models_rest=True,
            level_dbfs=-20.0,
            # under the others the last bias of an untrained discriminator has no gradient
            objective="vanilla",
            discriminator_steps=1,
            teach_generator=True,
            distance="spectrum",
            paired_weight=10.0,
            taught_iterations=2,
            iterations=4,
            estimate="mask",
        ),
        "data": shared.TINY_DATA,
        "training": shared.TINY_TRAINING,
    },
    # The paper's search and its weights, with WaveGAN for DCGAN. The generator is trained as in
    # `wavegan`, or named by `prior`.
    paper={
        "model": CompressedSensingConfig(),
        "data": DataConfig(sample_rate_hz=16000, window=16384, batch=64, law="paper"),
        "training": TrainingConfig(
            steps=100_000,
            learning_rate=1e-4,
            discriminator_learning_rate=1e-4,
            betas=(0.5, 0.9),
            ema=0.0,
            validation_mixtures=2,  # 1000 steps of search for each second of them
        ),
    },
    # The encoder does most of the work.
    demo={
        "model": CompressedSensingConfig(
            generator_kind="oscillators",
            generator=SynthesizerConfig(latent=128),
            discriminator=DiscriminatorConfig(
                kind="multiresolution", channels=32, frames=(512, 1024)
            ),
            models_rest=True,
            level_dbfs=-20.0,
            objective="hinge",
            discriminator_steps=1,
            adversarial_weight=0.001,
            adversarial_share=0.125,
            teach_generator=True,
            distance="spectrum",
            paired_weight=10.0,
            made_weight=0.02,
            latent_weight=1e-5,
            taught_iterations=3,
            restarts=1,
            iterations=3,
            search_rate=0.03,
            estimate="mask",
        ),
        "data": DataConfig(data="demo", sample_rate_hz=16000, window=4096, batch=64, law="snr"),
        # a search takes longer than a pass of a network
        "training": replace(shared.DEMO_TRAINING, steps=700, validation_mixtures=8),
    },
)

# What a search changes, see docs/tuning.md. A trained `prior` has its own latents and is not
# trained.
SEARCH = {
    "learning_rate": Around(factor=5),
    "ema": MEANS,
    "encoder.channels": WIDTHS,
    "encoder.blocks": Multiples(of=(0.5, 1, 1.5)),
    "generator.latent": Multiples(of=(0.5, 1, 2), when=("prior", None)),
    "made_weight": Around(factor=10),
    "paired_weight": Around(factor=5),
    "latent_weight": Around(factor=10),
    "search_rate": Around(factor=5),
}
