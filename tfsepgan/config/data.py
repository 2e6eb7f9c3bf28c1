"""Settings of the data: recordings, mixtures and batches."""

from dataclasses import dataclass
from typing import Literal

from tfsepgan.config.augment import AugmentConfig

Law = Literal["paper", "snr"]
Reader = Literal["auto", "tfio", "soundfile", "memmap"]
SetLayout = Literal[
    "auto",
    "plain",
    "irmas",
    "musdb18",
    "musdb18hq",
    "slakh2100",
    "medleydb",
    "moisesdb",
    "mir1k",
    "maestro",
]
Balance = Literal["length", "folders"]

NO_OTHERS = (0, 0)


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """The data of a run: its recordings, and how they are mixed and batched."""

    data: str | None = None
    """Folder of recordings: DIR/<split>/<source>/... or DIR/<split>/<track>/<source>.*, or a public
    dataset as it is distributed. Or a folder of shards, or their address (gs://...). Several,
    separated by commas, are joined. 'demo' is the packaged dataset."""
    layout: SetLayout = "auto"
    """Layout of the folder: a dataset by name, or 'plain' for your own folders; 'auto' detects
    it."""
    leave_out: tuple[str, ...] = ()
    """Recordings that are not used: patterns of SET/SPLIT/SOURCE/... in which * matches anything,
    for example 'irmas/*/piano/*'."""
    sources: tuple[str, ...] = ("piano",)
    """Sources that the model estimates; recordings in all other folders are the others."""
    balance: Balance = "length"
    """How often a recording of a source is drawn. 'length': in proportion to its length. 'folders':
    every folder below the source, in every joined dataset, equally often, and in it by length, so
    that long datasets or players do not dominate short ones."""
    sample_rate_hz: int = 16000
    """Sample rate of the model, in Hz; recordings at other rates are resampled when they are
    unpacked."""
    window: int = 16384
    """Length of a training window, in samples."""
    batch: int = 10
    """Windows in a batch."""
    law: Law = "paper"
    """How mixtures are made: 'paper', a * other + (1 - a) * target; 'snr', the target with several
    others at a random level in dB."""
    snr_db: tuple[float, float] = (-6.0, 6.0)
    """Range of the target's level relative to the sum of the others, in dB (law 'snr', and
    validation and test mixtures)."""
    others: tuple[int, int] = (1, 3)
    """Fewest and most other recordings in a mixture (law 'snr'); 0 0 where every source is named,
    which a run detects."""
    gain_db: tuple[float, float] = (0.0, 0.0)
    """Range of a random gain on the whole mixture, in dB (law 'snr')."""
    silence_db: float = -60.0
    """A window with an RMS level below this, in dBFS, is drawn again."""
    remix: float = 0.0
    """Probability that the sources of a multitrack window come from different tracks."""
    songs: float = 0.0
    """Share of the mixtures that are windows of songs, where songs are joined with unpaired
    recordings; all other mixtures are mixed at random."""
    rests: float = 0.0
    """Probability that a mixture, labelled or not, has none of the sources, as in the
    pauses of an instrument in a song."""
    labelled: float = 1.0
    """Share of the recordings (or songs) used for labelled mixtures; unlabelled mixtures and solos
    then use the remaining ones only."""
    variants: int = 0
    """Extra versions of every training recording, each with its own speed, channel balance,
    equalisation, band limits and room."""
    augment: AugmentConfig = AugmentConfig()
    """Random changes of windows before they are mixed, anew at every step."""
    reader: Reader = "auto"
    """What reads the unpacked windows: tensorflow-io, soundfile or numpy's memmap; 'auto' selects
    one for this machine."""
    seed: int = 0
    """Seed of the weights, of the order of the data and of every random draw."""
    cache: str | None = None
    """Folder for recordings unpacked from files or shards; default: the user's cache folder."""
    data_server: str | None = None
    """HOST:PORT of a `tfsepgan-data serve` that makes the training batches; the batches are the
    same. Several, separated by commas, share the steps."""

    @property
    def has_others(self) -> bool:
        """Whether training mixtures can have more than the sources: others, or a noise floor."""
        return self.others != NO_OTHERS or self.augment.noise > 0
