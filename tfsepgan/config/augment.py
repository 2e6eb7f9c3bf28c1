"""Settings of augmentation: random changes of training windows."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal

from tfsepgan.config.limits import low_to_high


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """Random changes of each source's windows before they are mixed, anew at every step.

    All are off by default.
    """

    only: Literal["all", "sources", "others"] = "all"
    """Which recordings are changed: the sources, the others or all."""
    polarity: float = 0.0
    """Probability that the sign of a window is flipped."""
    speed: float = 0.0
    """Probability that speed and pitch change together, as of a tape. All sources of a song get the
    same speed."""
    speed_semitones: tuple[float, float] = (-4.0, 4.0)  # beyond, instruments sound like other ones
    """Range of the speed, in semitones."""
    pitch: float = 0.0
    """Probability that the pitch changes at the same speed. All sources of a song get the same
    pitch."""
    # beyond, overtones lie where no instrument has them
    pitch_semitones: tuple[float, float] = (-3.0, 3.0)
    """Range of the pitch, in semitones."""
    equaliser: float = 0.0
    """Probability of two or three random filters."""
    # about the difference between a dull upright piano and a bright grand piano
    equaliser_db: tuple[float, float] = (-12.0, 12.0)
    """Range of the gain of each filter, in dB."""
    band_limit: float = 0.0
    """Probability of a low-pass filter, and separately of a high-pass filter, as of telephones and
    old records."""
    low_pass_hz: tuple[float, float] = (5000.0, 16000.0)
    """Range of the low-pass filter's cutoff, in Hz."""
    high_pass_hz: tuple[float, float] = (40.0, 250.0)
    """Range of the high-pass filter's cutoff, in Hz."""
    room: float = 0.0
    """Probability of reverberation."""
    room_seconds: tuple[float, float] = (0.15, 1.2)  # a bedroom to a hall
    """Range of the reverberation time of a synthetic room (decay by 60 dB), in seconds."""
    room_db: tuple[float, float] = (-18.0, -3.0)
    """Range of the energy of the reverberation relative to the direct sound, in dB."""
    rooms: str | None = None
    """Folder of recorded impulse responses; half of the rooms are then drawn from it."""
    codec: float = 0.0
    """Probability of artefacts of a lossy codec."""
    codec_quality: tuple[float, float] = (0.0, 1.0)
    """Range of the codec's quality: 0 has a signal-to-noise ratio of 4 dB in every band and nothing
    above 5 kHz; 1 has 20 dB and 16 kHz."""
    noise: float = 0.0
    """Probability of a noise floor in the mixture; it belongs to the residual."""
    noise_db: tuple[float, float] = (-60.0, -30.0)
    """Range of the noise level relative to the mixture, in dB."""

    @property
    def active(self) -> bool:
        """Whether any augmentation is on."""
        return any(getattr(self, name) for name in AUGMENTATIONS)

    def problems(self) -> Iterator[str]:
        """Yield one sentence for each setting that cannot be used."""
        for name in AUGMENTATIONS:
            if not 0 <= getattr(self, name) <= 1:
                yield f"augment.{name} is {getattr(self, name)}; it is a probability, in [0, 1]."
        units = ("_semitones", "_db", "_hz", "_seconds", "_quality")
        ranges = [item.name for item in fields(self) if item.name.endswith(units)]
        yield from low_to_high(self, *ranges, prefix="augment.")
        for name in ("low_pass_hz", "high_pass_hz", "room_seconds"):
            if not getattr(self, name)[0] > 0:
                yield f"augment.{name} starts at {getattr(self, name)[0]}; it must be above zero."
        if not -24 <= self.speed_semitones[0] <= self.speed_semitones[1] <= 24:
            yield (
                f"augment.speed_semitones is {self.speed_semitones}; at most two octaves either"
                " way."
            )
        if not -12 <= self.pitch_semitones[0] <= self.pitch_semitones[1] <= 12:
            yield (
                f"augment.pitch_semitones is {self.pitch_semitones}; at most one octave either way."
            )
        if not 0 <= self.codec_quality[0] <= self.codec_quality[1] <= 1:
            yield f"augment.codec_quality is {self.codec_quality}; it must be in [0, 1]."


AUGMENTATIONS = ("polarity", "speed", "pitch", "equaliser", "band_limit", "room", "codec", "noise")
