"""Parts that the presets of several systems share: networks, data and training."""

from tfsepgan.config import DataConfig, TrainingConfig
from tfsepgan.settings.networks import DiscriminatorConfig, GeneratorConfig

# tiny: for tests; takes seconds, not minutes.
TINY_GENERATOR = GeneratorConfig(kind="filterbank", channels=16, blocks=1, frame=256, hop=64)
TINY_DISCRIMINATOR = DiscriminatorConfig(kind="wavegan", channels=4, levels=2)
TINY_DATA = DataConfig(window=4096, batch=4, law="snr")
TINY_TRAINING = TrainingConfig(
    steps=8, steps_per_epoch=4, validation_mixtures=2, validation_seconds=1.0, learning_rate=1e-3
)

# paper: windows and batches of S-SepGAN, also where a paper has no audio.
PAPER_DATA = DataConfig(sample_rate_hz=16000, window=16384, batch=10, law="paper")

# demo: needs no data and no flags; trains on the packaged recordings, about 4 minutes on 2 cores.
DEMO_GENERATOR = GeneratorConfig(kind="filterbank", channels=256, blocks=8, frame=1024, hop=512)
DEMO_DISCRIMINATOR = DiscriminatorConfig(
    kind="multiresolution", channels=32, frames=(512, 1024), window=8192
)
DEMO_DATA = DataConfig(data="demo", sample_rate_hz=16000, window=32768, batch=8, law="snr")
DEMO_TRAINING = TrainingConfig(
    steps=1600,
    steps_per_epoch=200,
    minutes=4.0,  # with installing and scoring, 8 minutes on two slow cores
    learning_rate=1e-3,
    discriminator_learning_rate=2e-4,
    betas=(0.8, 0.99),
    schedule="cosine",
    warmup_steps=50,
    clip_norm=5.0,
    ema=0.99,
)
