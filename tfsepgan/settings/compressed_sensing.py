"""Settings and presets of compressed sensing with a generator (Bora, Jalal, Price & Dimakis 2017,
arXiv:1703.03208)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from tfsepgan.config import DataConfig, Experiment, TrainingConfig
from tfsepgan.settings.networks import DiscriminatorConfig, SynthesizerConfig
from tfsepgan.settings.search import MEANS, WIDTHS, Around, Multiples

GeneratorKind = Literal["wavegan", "oscillators"]
Objective = Literal["wgan-gp", "hinge", "vanilla", "lsgan"]
Distance = Literal["waveform", "spectrum"]
Estimate = Literal["waveform", "mask"]


@dataclass(frozen=True, kw_only=True)
class FramesConfig:
    """A network that goes over the frames of a window: the encoder, or the generator of kind
    'oscillators'."""

    channels: int = 256  # the filterbank masker's
    """Width of the network."""
    blocks: int = 4  # with dilations 1, 2, 4, 8 it hears 15 frames either way
    """Residual blocks."""
    squeeze: int = 64  # 4 frames of 64 numbers give 256, more than a quarter of a second of latents
    """Numbers that each frame becomes on the way from or to the latent."""

    def problems(self, prefix: str) -> Iterator[str]:
        """What no network could be built of, a sentence each."""
        for name in ("channels", "blocks", "squeeze"):
            if getattr(self, name) < 1:
                yield f"{prefix}.{name} is {getattr(self, name)}; it must be at least 1."


@dataclass(frozen=True, kw_only=True)
class CompressedSensingConfig:
    """What recovers a track by searching the latents of a generator, and how it is searched and
    trained."""

    prior: str | None = None
    """Run or model of a trained `wavegan`, which is then the generator and stays as it is; None:
    the run trains its own."""
    # the paper's is a DCGAN, of which WaveGAN is the one for sound
    generator_kind: GeneratorKind = "wavegan"
    """'wavegan': transposed convolutions; 'oscillators': a bank of sines, one a bin, whose loudness
    the latent decides."""
    generator: SynthesizerConfig = field(default_factory=SynthesizerConfig)
    """`latent` counts for both kinds, the rest for 'wavegan'."""
    oscillators: FramesConfig = field(default_factory=lambda: FramesConfig(blocks=2))
    """The network over frames of kind 'oscillators'."""
    encoder: FramesConfig = field(default_factory=FramesConfig)
    """The inference encoder: from a window of the mixture to the latents."""
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    """The critic that a generator of the run's own is trained against."""
    frame: int = 1024  # at 16 kHz the best of the filterbank masker's, docs/benchmarks.md
    """Length of a frame of the spectra that are heard, compared and masked, in samples."""
    hop: int = 512  # half a frame: the fewest frames that give the signal back
    """Step between frames, in samples; it must divide the frame and the window."""
    models_rest: bool = False  # the paper has one generator
    """A generator more, of all that is not a source, so that the sum of all has the whole mixture
    to explain; none where every source is named."""
    # the paper's images all have one range; recordings differ by 30 dB
    level_dbfs: float | None = None
    """RMS level that every window of a mixture is brought to, in dB below full scale; None: as they
    are."""

    objective: Objective = "wgan-gp"  # WaveGAN's
    """Adversarial objective of a generator of the run's own."""
    discriminator_steps: int = 5  # WaveGAN's
    """Critic steps for each step of the generator, on the same batch."""
    penalty_weight: float = 10.0  # Gulrajani et al. 2017
    """Weight of the gradient penalty (objective 'wgan-gp')."""
    adversarial_weight: float = 1.0  # WaveGAN's
    """Weight of the adversarial term; 0 leaves the critic out."""
    adversarial_share: float = 1.0  # all of the batch
    """Share of the batch that the critic batch_keys, and that the encoder finds the latents of made
    windows in."""
    teach_generator: bool = False  # the paper's generator is a plain GAN
    """Let the generator learn from what the encoder recovers, as the decoder of an autoencoder
    does."""

    distance: Distance = "waveform"  # the paper's
    """What the search makes small: 'waveform', the squared error; 'spectrum', how differently loud
    the bins are, phase apart."""
    distance_weight: float = 1.0  # sets the unit of the others
    """Weight, in training, of the distance between what the encoder recovers and the track."""
    paired_weight: float = 0.0  # not in the paper
    """Weight, in training, of the L1 distance between estimate and track."""
    made_weight: float = 1.0  # the encoder's one label that is exact
    """Weight of the encoder's error on latents of windows that the generator made itself."""
    latent_weight: float = 0.001  # the paper's lambda for its DCGAN
    """Weight of the squared length of the latents, in training and search."""
    unexplained_weight: float = 1.0  # both sides alike, as the paper's norm
    """Weight of what the mixture has more than the recovered tracks, beside what they have more
    (distance 'spectrum')."""

    taught_iterations: int = 0  # the paper's search meets networks that know nothing of it
    """Steps of the search that training goes through, so that encoder and generator learn where it
    ends; 0: where it starts."""

    encoder_start: bool = True  # S-SepGAN, section 2.2
    """Start the first search at what the encoder says; False: all at random, as the paper."""
    restarts: int = 2  # the paper's for its DCGAN, 10 for its VAE
    """Searches of each window, each from its own latent; the best is taken."""
    iterations: int = 500  # the paper's for its DCGAN, 1000 for its VAE
    """Steps of Adam in each search; 0 takes the best start."""
    search_rate: float = 0.1  # the paper's for its DCGAN, 0.01 for its VAE (the authors' scripts)
    """Learning rate of the search."""
    estimate: Estimate = "waveform"  # the paper's
    """What the found latents become: 'waveform', what the generator makes of them; 'mask', its
    share of the mixture's spectrum."""

    def problems(self) -> Iterator[str]:
        """What no run could be trained with, a sentence each."""
        yield from self.generator.problems()
        yield from self.oscillators.problems("oscillators")
        yield from self.encoder.problems("encoder")
        yield from self.discriminator.problems()
        for name in (name for name in vars(self) if name.endswith("_weight")):
            if getattr(self, name) < 0:
                yield f"{name} is {getattr(self, name)}; it must be zero or above."
        for name, least in (
            ("discriminator_steps", 1),
            ("restarts", 1),
            ("iterations", 0),
            ("taught_iterations", 0),
        ):
            if getattr(self, name) < least:
                yield f"{name} is {getattr(self, name)}; it must be at least {least}."
        if (
            self.frame < 4
            or self.frame % 2
            or self.hop < 1
            or self.frame % self.hop
            or self.frame // self.hop < 2
        ):
            yield (
                f"frame is {self.frame} and hop {self.hop} samples; the frame must be even and a"
                " multiple of the hop, twice at least."
            )
        if not 0 < self.adversarial_share <= 1:
            yield (
                f"adversarial_share is {self.adversarial_share}; it must be above 0 and at most 1."
            )
        if not self.search_rate > 0:
            yield f"search_rate is {self.search_rate}; it must be above zero."
        if self.prior is not None and self.generator_kind != "wavegan":
            yield (
                f"generator_kind is {self.generator_kind!r} with a prior, which is a WaveGAN; take"
                " 'wavegan', or no prior."
            )
        if self.models_rest and not self.teach_generator:
            yield (
                "models_rest is on and teach_generator off, so the generator of the rest learns"
                " nothing; turn teach_generator on."
            )
        if self.prior is None and not (self.adversarial_weight or self.teach_generator):
            yield (
                "The generator has nothing to learn from: adversarial_weight is 0 and"
                " teach_generator off. Name a prior, or turn one on."
            )


PRESETS = {
    # For tests: seconds, not minutes.
    "tiny": Experiment(
        system="compressed_sensing",
        preset="tiny",
        model=CompressedSensingConfig(
            generator=SynthesizerConfig(latent=8, channels=4),
            encoder=FramesConfig(channels=16, blocks=1, squeeze=4),
            discriminator=DiscriminatorConfig(kind="wavegan", channels=4),
            frame=256,
            hop=128,
            models_rest=True,
            level_dbfs=-20.0,
            # under the others the critic's last bias has no gradient while it knows nothing
            objective="vanilla",
            discriminator_steps=1,
            teach_generator=True,
            distance="spectrum",
            paired_weight=10.0,
            taught_iterations=2,
            iterations=4,
            estimate="mask",
        ),
        data=DataConfig(window=4096, batch=4, law="snr"),
        training=TrainingConfig(
            steps=8,
            steps_per_epoch=4,
            validation_mixtures=2,
            validation_seconds=1.0,
            learning_rate=1e-3,
        ),
    ),
    # The paper's search and its weights, with WaveGAN for DCGAN. Trained as WaveGAN is; or name a
    # `prior`.
    "paper": Experiment(
        system="compressed_sensing",
        preset="paper",
        model=CompressedSensingConfig(),
        data=DataConfig(sample_rate_hz=16000, window=16384, batch=64, law="paper"),
        training=TrainingConfig(
            steps=100_000,
            learning_rate=1e-4,
            discriminator_learning_rate=1e-4,
            betas=(0.5, 0.9),
            ema=0.0,
            validation_mixtures=2,  # 1000 steps of search for each second of them
        ),
    ),
    # No data, no flags: the packaged recordings, about four minutes on two cores. Most of it is the
    # encoder's work.
    "demo": Experiment(
        system="compressed_sensing",
        preset="demo",
        model=CompressedSensingConfig(
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
        data=DataConfig(data="demo", sample_rate_hz=16000, window=4096, batch=64, law="snr"),
        training=TrainingConfig(
            steps=700,
            steps_per_epoch=200,
            minutes=4.0,
            learning_rate=1e-3,
            discriminator_learning_rate=2e-4,
            betas=(0.8, 0.99),
            schedule="cosine",
            warmup_steps=50,
            clip_norm=5.0,
            ema=0.99,
            validation_mixtures=8,  # a search takes longer than a pass of a network
        ),
    ),
}

# What a search changes, see docs/tuning.md. A trained `prior` brings its own latents and learns no
# more.
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
