"""The rows of the comparison: systems, terms and networks, each a line of data.

A row is a system's `demo` preset and the flags that differ. `SHARED` has what all rows share: rate,
mixing law, eight variants of each recording (without them, 2 million weights memorise one player's
recordings in a quarter of an hour), one seed, and that the last weights count. Nothing is chosen on
the valid split, so its scores are as independent as those of the test split, and validation takes
no time of the budget.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, get_args

from tfsepgan import systems
from tfsepgan.cli.settings import parse
from tfsepgan.cli.train import TrainOptions
from tfsepgan.config import Experiment, flatten, to_dict
from tfsepgan.settings.networks import DiscriminatorKind, GeneratorKind

SHARED = (
    *("--sample-rate-hz", "16000", "--law", "snr", "--snr-db", "-6", "6", "--variants", "8"),
    *(
        "--minutes",
        "None",
        "--validation-mixtures",
        "0",
        "--keep",
        "last",
        "--no-finish",
        "--no-tensorboard",
    ),
)
CHECKPOINTS = 12  # of a run: a kill costs at most a twelfth of the budget
TITLES = {
    "systems": "Systems",
    "terms": "What S-SepGAN's terms bring",
    "networks": "Generators and discriminators of S-SepGAN",
}
BASE = "ssepgan"
PLAIN = "l1-only"  # the reference for the adversarial terms
# the page compares these rows, so one seed is not enough
SEVERAL_SEEDS = (
    BASE,
    PLAIN,
    "no-mixture-as-fake",
    "paper-weights",
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the comparison."""

    name: str
    """Name on the command line and of its folder."""
    says: str
    """What it is, or how it differs from the base."""
    table: str
    """Key of `TITLES`: its table."""
    system: str = BASE
    preset: str = "demo"
    flags: tuple[str, ...] = ()
    """Settings that differ from the preset, as flags of `tfsepgan-train`."""
    needs: tuple[str, ...] = ()
    """Rows trained before it; `{NAME}` in its flags stands for the run folder of such a row."""
    share: float = 1.0
    """Share of the budget; below 1 where the rows that it needs use the other part."""
    to_its_end: bool = False
    """True: trained for the steps of its preset, within the budget; False: as the budget allows."""
    separates: bool = True
    """Whether it is scored; a row that generates sounds is only used by others."""

    def missing(self) -> str | None:
        """Why the package cannot train it (no such system or network); None if it can."""
        if self.system not in systems.SYSTEMS:
            return f"there is no system {self.system!r}"
        if self.preset not in systems.presets(self.system):
            return f"{self.system} has no preset {self.preset!r}"
        known = flatten(to_dict(systems.preset(self.system, self.preset)))
        for flag in (flag for flag in self.flags if flag.startswith("--")):
            if flag[2:].replace("-", "_") not in known:
                return f"{self.system} has no setting {flag}"
        for flag, kinds in (
            ("--generator.kind", GeneratorKind),
            ("--discriminator.kind", DiscriminatorKind),
        ):
            kind = self.flags[self.flags.index(flag) + 1] if flag in self.flags else None
            if kind and kind not in get_args(kinds):
                return f"there is no {flag[2:-5]} {kind!r}"
        return None

    def arguments(
        self, data: str, *, seed: int, cache: str | None = None, runs: dict[str, str] | None = None
    ) -> list[str]:
        """The flags of `tfsepgan-train`, without length and folder.

        Args:
          runs: run folder of each row that this one needs; without it, the names stay in the flags.
        """
        place = ["--data", data, *(("--cache", cache) if cache else ())]
        kind = ["--system", self.system, "--preset", self.preset]
        flags = [flag.format(**runs) if runs else flag for flag in self.flags]
        own = {flag for flag in flags if flag.startswith("--")}
        shared = [
            part for setting in _settings_of(SHARED) if setting[0] not in own for part in setting
        ]
        return [*kind, *place, *shared, "--seed", str(seed), *flags]

    def experiment(self, data: str, *, seed: int) -> Experiment:
        """The settings that these flags give."""
        return parse(
            self.arguments(data, seed=seed), TrainOptions, program="compare_systems", about=""
        )[0]


def _settings_of(flags: Sequence[str]) -> Iterator[list[str]]:
    """Each flag with its values."""
    setting: list[str] = []
    for part in flags:
        if part.startswith("--") and setting:
            yield setting
            setting = []
        setting.append(part)
    yield setting


class Trial(NamedTuple):
    """A row, trained with one seed."""

    row: Row
    seed: int

    @property
    def name(self) -> str:
        """Name of its folder: that of the row, with `@SEED` for seeds other than 0."""
        return f"{self.row.name}@{self.seed}" if self.seed else self.row.name


def _discriminator(kind: str, says: str, *flags: str) -> Row:
    return Row(
        name=f"{kind}-discriminator".replace("_", "-"),
        says=says,
        table="networks",
        flags=("--discriminator.kind", kind, *flags),
    )


ROWS = (
    Row(name=BASE, says="three-term discriminator, L1, identity (3.3)", table="systems"),
    Row(
        name="paper",
        preset="paper",
        says="the paper's generator and discriminator at a quarter of their width, "
        "its weights, law and rates (3.3)",
        table="systems",
        flags=("--law", "paper", "--generator.channels", "32", "--discriminator.channels", "16"),
    ),
    Row(
        name="cyclegan",
        system="cyclegan",
        says="unpaired, two generators, cycle (3.2)",
        table="systems",
    ),
    Row(
        name="semisupervised",
        system="semisupervised",
        says="critic for each source, also unlabelled (2.4.2)",
        table="systems",
    ),
    Row(name="gass", system="gass", says="latent search on spectra (2.4.1)", table="systems"),
    Row(
        name="nmf",
        system="nmf",
        says="supervised NMF, KL divergence",
        table="systems",
        to_its_end=True,
    ),
    Row(
        name="compressed_sensing",
        system="compressed_sensing",
        says="encoder by paired L1, three search steps, mask (2.2 without its trained prior)",
        table="systems",
    ),
    Row(
        name="decomposition",
        system="decomposition",
        says="paired loss on sums of solos, critic for each source "
        "(2.3 without its trained generators)",
        table="systems",
    ),
    Row(
        name=PLAIN,
        says="no discriminator: L1 and identity",
        table="terms",
        flags=("--adversarial-weight", "0", "--feature-weight", "0"),
    ),
    Row(
        name="no-mixture-as-fake",
        says="discriminator's third term left out",
        table="terms",
        flags=("--mixture-as-fake-weight", "0"),
    ),
    Row(
        name="paper-weights",
        says="adversarial term with the paper's weight, 1 to 10 of L1; otherwise as `ssepgan`",
        table="terms",
        flags=("--adversarial-weight", "1"),
    ),
    _discriminator("wavegan", "WaveGAN's", "--discriminator.channels", "32"),
    _discriminator("patch", "patches of the waveform"),
    _discriminator("multiperiod", "HiFi-GAN's"),
    _discriminator("projections", "random projections (2.5)"),
    _discriminator("instantaneous_frequency", "GANSynth's spectrogram (5)"),
    Row(
        name="resnet-generator",
        # at full width, 15 minutes are a hundred steps
        says="the paper's generator at a quarter of its width; otherwise as `ssepgan`",
        table="networks",
        flags=("--generator.kind", "resnet", "--generator.channels", "32"),
    ),
    Row(
        name="learnable-filterbank",
        says="filters are trained too",
        table="networks",
        flags=("--generator.learnable",),
    ),
    Row(
        name="instantaneous-frequency-features",
        says="instantaneous frequency as a further input (5)",
        table="networks",
        flags=("--generator.features", "instantaneous_frequency"),
    ),
)


def chosen(names: list[str] | None) -> list[Row]:
    """Rows by name with those they need, in the order of `ROWS`; all without names.

    Raises: ValueError for a name that no row has.
    """
    known = {row.name: row for row in ROWS}
    unknown = sorted(set(names or ()) - known.keys())
    if unknown:
        raise ValueError(f"no row is called {', '.join(unknown)}; there is: {', '.join(known)}")
    wanted = set(names or known)
    wanted |= {need for name in wanted for need in known[name].needs}
    return [row for row in ROWS if row.name in wanted]
