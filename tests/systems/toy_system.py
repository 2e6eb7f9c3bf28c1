"""The smallest system there can be: one class and one line of the table."""

from dataclasses import dataclass, field

from keras import ops

from tfsepgan.config import DataConfig, Experiment, TrainingConfig
from tfsepgan.settings.networks import GeneratorConfig
from tfsepgan.systems import Entry
from tfsepgan.systems.base import SeparationSystem


@dataclass(frozen=True, kw_only=True)
class ToyConfig:
    """A generator, and nothing to choose."""

    generator: GeneratorConfig = field(
        default_factory=lambda: GeneratorConfig(
            kind="filterbank", channels=4, blocks=1, frame=64, hop=32
        )
    )

    def problems(self):
        """What could be wrong with the generator."""
        yield from self.generator.problems()


class Toy(SeparationSystem):
    """Learns by the squared distance alone."""

    losses_logged = ("generator",)

    @property
    def players(self):
        return {"generator": self.generator}

    def train_step(self, batch):
        def loss(mixture, sources):
            return ops.mean(ops.square(self.generator(mixture, training=True) - sources))

        value = self.minimize(loss, (batch["mixture"], batch["sources"]), player="generator")
        self.update_average()
        return self.log(generator=value)


PRESETS = {
    "tiny": Experiment(
        system="toy",
        preset="tiny",
        model=ToyConfig(),
        data=DataConfig(window=1024, batch=2, law="snr"),
        training=TrainingConfig(
            steps=4,
            steps_per_epoch=2,
            validation_mixtures=1,
            validation_seconds=0.5,
            tensorboard=False,
        ),
    )
}
TOY = Entry("toy_system:Toy", "toy_system:ToyConfig")
