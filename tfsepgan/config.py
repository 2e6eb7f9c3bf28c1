"""Settings that every run has: what it hears (`DataConfig`), how it is trained (`TrainingConfig`), all (`Experiment`).

Settings are frozen, typed and keyword-only. A system adds its own in `tfsepgan/settings/NAME.py`. They come from a
preset, then from a YAML file, then from flags, the later winning; `tfsepgan.cli.settings` puts the three together.
"""

import difflib
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any, Literal

from tfsepgan.errors import ConfigError

Law = Literal["paper", "snr"]
Reader = Literal["auto", "tfio", "soundfile", "memmap"]
SetLayout = Literal[
    "auto", "plain", "irmas", "musdb18", "musdb18hq", "slakh2100", "medleydb", "moisesdb", "mir1k", "maestro"
]
Balance = Literal["length", "folders"]
Precision = Literal["float32", "mixed_bfloat16"]
Keep = Literal["best", "last"]
Schedule = Literal["constant", "cosine"]

# These change where a run's recordings lie or how fast it goes, never which weights a step reaches: a resumed run may differ
# in them. That the recordings are the same ones is checked apart, see `training.run`.
FREE_ON_RESUME = frozenset(
    {
        *("data", "layout", "augment.rooms", "cache", "reader", "data_server"),
        *("minutes", "processor_minutes", "tensorboard"),
    }
)
MIXTURE = "mixture"
RESERVED = (MIXTURE, "residual")  # names of what is not a source
NO_OTHERS = (0, 0)


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """How windows are changed before they are mixed: each part of a mixture by itself, and anew at every step. All off by default."""

    only: Literal["all", "sources", "others"] = "all"
    """Which parts are changed."""
    polarity: float = 0.0
    """Probability that a window is turned upside down."""
    speed: float = 0.0
    """Probability of another speed, and pitch with it, as of a tape; the parts of one song keep one speed."""
    speed_semitones: tuple[float, float] = (-4.0, 4.0)  # further, and instruments change their kind
    """Range of the speed, in semitones."""
    pitch: float = 0.0
    """Probability of another pitch at the same speed; the parts of one song keep one pitch."""
    pitch_semitones: tuple[float, float] = (-3.0, 3.0)  # further, and the overtones lie as no instrument has them
    """Range of the pitch, in semitones."""
    equaliser: float = 0.0
    """Probability of two or three random filters."""
    equaliser_db: tuple[float, float] = (-12.0, 12.0)  # about what lies between a dull upright and a bright grand
    """Range of what each filter raises or lowers, in dB."""
    band_limit: float = 0.0
    """Probability of a low-pass filter, and apart from it of a high-pass filter, as of telephones and old discs."""
    low_pass_hz: tuple[float, float] = (5000.0, 16000.0)
    """Range of the low-pass filter's edge, in Hz."""
    high_pass_hz: tuple[float, float] = (40.0, 250.0)
    """Range of the high-pass filter's edge, in Hz."""
    room: float = 0.0
    """Probability of reverberation."""
    room_seconds: tuple[float, float] = (0.15, 1.2)  # a bedroom to a hall
    """Range of the time until a synthetic room's reverberation has fallen by 60 dB, in seconds."""
    room_db: tuple[float, float] = (-18.0, -3.0)
    """Range of the reverberation's energy against what comes directly, in dB."""
    rooms: str | None = None
    """Folder of recorded impulse responses, of which half of the rooms are then drawn."""
    codec: float = 0.0
    """Probability of what a lossy codec does."""
    codec_quality: tuple[float, float] = (0.0, 1.0)
    """Range of the codec's quality: 0 for 4 dB of signal over noise in every band and nothing above 5 kHz, 1 for 20 dB and 16 kHz."""
    noise: float = 0.0
    """Probability of a noise floor under the mixture; it counts to the rest."""
    noise_db: tuple[float, float] = (-60.0, -30.0)
    """Range of the noise's level against the mixture's, in dB."""

    @property
    def active(self) -> bool:
        """Whether anything is changed."""
        return any(getattr(self, name) for name in AUGMENTATIONS)

    def problems(self) -> Iterator[str]:
        """What no window could be changed by, a sentence each."""
        for name in AUGMENTATIONS:
            if not 0 <= getattr(self, name) <= 1:
                yield f"augment.{name} is {getattr(self, name)}; it is a probability, in [0, 1]."
        for name in (
            item.name
            for item in fields(self)
            if item.name.endswith(("_semitones", "_db", "_hz", "_seconds", "_quality"))
        ):
            low, high = getattr(self, name)
            if not -math.inf < low <= high < math.inf:
                yield f"augment.{name} is {low} to {high}; two numbers are wanted, the lower one first."
        for name in ("low_pass_hz", "high_pass_hz", "room_seconds"):
            if not getattr(self, name)[0] > 0:
                yield f"augment.{name} starts at {getattr(self, name)[0]}; it must be above zero."
        if not -24 <= self.speed_semitones[0] <= self.speed_semitones[1] <= 24:
            yield f"augment.speed_semitones is {self.speed_semitones}; at most two octaves either way."
        if not -12 <= self.pitch_semitones[0] <= self.pitch_semitones[1] <= 12:
            yield f"augment.pitch_semitones is {self.pitch_semitones}; at most one octave either way."
        if not 0 <= self.codec_quality[0] <= self.codec_quality[1] <= 1:
            yield f"augment.codec_quality is {self.codec_quality}; it must be in [0, 1]."


AUGMENTATIONS = ("polarity", "speed", "pitch", "equaliser", "band_limit", "room", "codec", "noise")


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What a run hears."""

    data: str | None = None
    """Folder of recordings: DIR/<split>/<source>/... or DIR/<split>/<track>/<source>.*, or a set of this field as it is
    distributed; or of shards, or their address (gs://...); several, with commas between, are joined; 'demo' is the packaged set."""
    layout: SetLayout = "auto"
    """How the folder is laid out: a set by name, 'plain' for folders of one's own; 'auto' finds out."""
    leave_out: tuple[str, ...] = ()
    """Recordings that are not used: patterns of SET/SPLIT/SOURCE/... in which * stands for anything, as 'irmas/*/piano/*'."""
    sources: tuple[str, ...] = ("piano",)
    """Sources the model gives back; every other folder is mixed against them."""
    balance: Balance = "length"
    """How often a recording of a source is heard: as often as it is long; or every folder below the source, in every joined set, as often
    as the next, and in it by length, so that a long set or player does not drown a short one."""
    sample_rate_hz: int = 16000
    """Rate the model works at; recordings at other rates are resampled when they are unpacked."""
    window: int = 16384
    """Length of a training window, in samples."""
    batch: int = 10
    """Windows in a batch."""
    law: Law = "paper"
    """How sources are mixed: 'paper' = a * other + (1 - a) * target; 'snr' = several others at a level in dB."""
    snr_db: tuple[float, float] = (-6.0, 6.0)
    """Range of the target's level over the sum of the others (law 'snr', and validation and test mixtures), in dB."""
    others: tuple[int, int] = (1, 3)
    """Fewest and most other recordings in one mixture (law 'snr'); 0 0 where every source is named, which a run finds out by itself."""
    gain_db: tuple[float, float] = (0.0, 0.0)
    """Range of a random gain on the whole mixture, in dB (law 'snr')."""
    silence_db: float = -60.0
    """A window quieter than this (RMS, dB below full scale) is drawn again."""
    remix: float = 0.0
    """Probability that a multitrack window takes its sources from different tracks."""
    songs: float = 0.0
    """Share of the mixtures that are windows of songs, where songs are joined with unpaired recordings; the others are mixed at random."""
    rests: float = 0.0
    """Probability that a labelled or unlabelled mixture holds none of the wanted sources, as where an instrument rests in a song."""
    labelled: float = 1.0
    """Share of the recordings (or songs) that labelled mixtures are made of; unlabelled mixtures and solos are then of the others only."""
    variants: int = 0
    """Extra versions of every training recording, each with its own speed, channel balance, equalisation, band limits and room."""
    augment: AugmentConfig = AugmentConfig()
    """How windows are changed before they are mixed, anew at every step."""
    reader: Reader = "auto"
    """Who reads the unpacked windows: tensorflow-io, soundfile or numpy's memmap; 'auto' picks for this machine."""
    seed: int = 0
    """Seed of the weights, of the order of the data and of every random draw."""
    cache: str | None = None
    """Folder for unpacked recordings, and those of shards; default: the user's cache folder."""
    data_server: str | None = None
    """HOST:PORT of a `tfsepgan-data serve` that makes the training batches, the same ones; several, with commas, share the steps."""

    @property
    def has_others(self) -> bool:
        """Whether a training mixture can hold anything but the wanted sources: other recordings, or a noise floor."""
        return self.others != NO_OTHERS or self.augment.noise > 0


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """How a run is trained."""

    steps: int = 100_000
    """Training steps in the whole run; the learning-rate schedule ends there."""
    steps_per_epoch: int = 500
    """Steps between two validations, which are also the moments a checkpoint is written."""
    minutes: float | None = None
    """Stop (with a checkpoint) after this many minutes of training, summed over restarts."""
    processor_minutes: float | None = None
    """Stop after this much processor time, all cores and restarts added up: a fair limit on a machine that does other work too."""
    learning_rate: float = 2e-4
    """Generator's learning rate, at its highest."""
    discriminator_learning_rate: float = 2e-4
    """Discriminator's learning rate, at its highest."""
    betas: tuple[float, float] = (0.5, 0.9)
    """Adam's decay rates of the first and second moment, for every player."""
    schedule: Schedule = "constant"
    """Learning rate after the warm-up: constant, or falling to a hundredth along half a cosine."""
    warmup_steps: int = 0
    """Steps over which the learning rate rises linearly from zero."""
    clip_norm: float | None = None
    """Largest global norm of one player's gradient; longer ones are scaled down."""
    ema: float = 0.999
    """Decay of the running mean of the generator's weights that is validated and shipped; 0 turns it off."""
    precision: Precision = "float32"
    """Arithmetic of the convolutions; weights, transforms and losses stay float32."""
    validation_mixtures: int = 12
    """Fixed mixtures of the valid split that every epoch is judged on; 0 turns validation off."""
    validation_seconds: float = 6.0
    """Length of each of them, in seconds."""
    keep: Keep = "best"
    """Weights that become the run's model: those that validate best, or those of the last epoch."""
    tensorboard: bool = True
    """Write scalars, spectrogram pictures and audio for TensorBoard."""
    init_from: str | None = None
    """Model or run whose generator the training starts from (fine-tuning)."""


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """All settings of one run."""

    system: str
    preset: str
    model: Any
    data: DataConfig = field(default_factory=DataConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of an error about an unknown name: the nearest known one; the list where it is short or nothing is near.

    Args:
      name: what was asked for; anything that stood in a file.
      known: what there is.
    """
    known = sorted(known)
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    if not close:
        return f"there is: {', '.join(known)}."
    return f"did you mean {close[0]!r}?" + (f" There is: {', '.join(known)}." if len(known) <= 12 else "")


def to_dict(experiment: Experiment) -> dict[str, Any]:
    """Settings as the flat dictionary that a YAML file holds: data, training and model keys side by side."""
    sections = (experiment.data, experiment.training, experiment.model)
    flat = {"system": experiment.system, "preset": experiment.preset}
    for section in sections:
        flat.update(_plain(asdict(section)))
    return flat


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def flatten(settings: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """`{'generator': {'hop': 4}}` as `{'generator.hop': 4}`: the names that flags have."""
    flat = {}
    for key, value in settings.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def from_dict(settings: type, values: dict[str, Any]) -> Any:
    """Build a settings dataclass from a plain dictionary, such as a manifest holds.

    Raises: ConfigError for a key that the dataclass does not have, naming the nearest one.
    """
    by_name = {item.name: item for item in fields(settings)}
    known = {}
    for key, value in values.items():
        if key not in by_name:
            raise ConfigError(f"{settings.__name__} has no setting {key!r}; {nearest(key, by_name)}")
        kind = by_name[key].type
        if isinstance(value, dict) and is_dataclass(kind):
            value = from_dict(kind, value)
        known[key] = tuple(value) if isinstance(value, list) else value
    return settings(**known)


_ABOVE_ZERO = (
    *("sample_rate_hz", "window", "batch", "steps", "steps_per_epoch", "learning_rate"),
    *("discriminator_learning_rate", "validation_seconds", "minutes", "clip_norm"),
    "processor_minutes",
)
_ZERO_OR_MORE = ("variants", "seed", "warmup_steps", "validation_mixtures")
_LOW_TO_HIGH = ("snr_db", "others", "gain_db")


def check(experiment: Experiment) -> None:
    """Refuse settings that no run could use, before anything is read or written.

    Raises: ConfigError that names the setting, what it was and what it may be.
    """
    data, training = experiment.data, experiment.training
    given = {name: value for name, value in (vars(data) | vars(training)).items() if value is not None}
    for name in _ABOVE_ZERO:
        if name in given and not 0 < given[name] < math.inf:
            raise ConfigError(f"{name} is {given[name]}; it must be above zero.")
    for name in _ZERO_OR_MORE:
        if name in given and given[name] < 0:
            raise ConfigError(f"{name} is {given[name]}; it must be zero or more.")
    if data.seed >= 2**32:
        raise ConfigError(f"seed is {data.seed}; it must be below {2**32}.")
    for name in _LOW_TO_HIGH:
        low, high = given[name]
        if not -math.inf < low <= high < math.inf:
            raise ConfigError(f"{name} is {low} to {high}; two numbers are wanted, the lower one first.")
    if data.others[0] < 1 and data.others != NO_OTHERS:
        raise ConfigError(
            f"others is {data.others}; at least one other recording is needed in a mixture, or 0 0 where every source is named."
        )
    for name in ("remix", "songs"):
        if not 0 <= getattr(data, name) <= 1:
            raise ConfigError(f"{name} is {getattr(data, name)}; it must be in [0, 1].")
    if not 0 <= data.rests < 1:
        raise ConfigError(f"rests is {data.rests}; it must be at least 0 and below 1.")
    if not 0 < data.labelled <= 1:
        raise ConfigError(f"labelled is {data.labelled}; it must be above 0 and at most 1.")
    for problem in data.augment.problems():
        raise ConfigError(problem)
    _refuse_no_places(data.data_server)
    if not 0 <= training.ema < 1:
        raise ConfigError(f"ema is {training.ema}; it must be in [0, 1).")
    if not all(0 <= beta < 1 for beta in training.betas):
        raise ConfigError(f"betas is {training.betas}; both must be in [0, 1).")
    reserved = [name for name in data.sources if name in RESERVED]
    if reserved:
        raise ConfigError(
            f"sources has {reserved[0]!r}, which tfsepgan uses for something else; call the folder otherwise."
        )
    for problem in experiment.model.problems():
        raise ConfigError(problem)
    if not data.sources or len(set(data.sources)) != len(data.sources):
        raise ConfigError(f"sources is {data.sources}; name each source that the model gives back once.")


def _refuse_no_places(servers: str | None) -> None:
    for server in servers.split(",") if servers is not None else ():
        host, _, port = server.strip().rpartition(":")
        if not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ConfigError(f"data_server is {servers!r}; wanted HOST:PORT, or several with commas between.")


def differences(ours: Experiment, theirs: dict[str, Any]) -> list[str]:
    """Settings in which a run on disk differs from the one asked for, those free on resume left out.

    A setting that the run does not tell, because it is older than the setting, is at its default there.
    """
    mine = flatten(to_dict(ours))
    theirs = _defaults(ours) | flatten(theirs)
    names = [name for name in mine | theirs if name not in FREE_ON_RESUME]
    return [
        f"{name}: the run has {theirs.get(name)!r}, you asked for {mine.get(name)!r}"
        for name in names
        if mine.get(name) != theirs.get(name)
    ]


def _defaults(experiment: Experiment) -> dict[str, Any]:
    """The settings of an experiment's kind with every default, flat; those without a default left out."""
    sections = (experiment.data, experiment.training, experiment.model)
    flat: dict[str, Any] = {}
    for section in sections:
        flat |= flatten(_plain(asdict(type(section)())))
    return flat


def with_data(experiment: Experiment, **changes: Any) -> Experiment:
    """A copy with other data settings."""
    return replace(experiment, data=replace(experiment.data, **changes))
