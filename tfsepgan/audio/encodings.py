"""The formats of stems: WAV, FLAC, Ogg Vorbis, MP3, M4A (AAC) and Opus, and the limits of each.

libsndfile writes the first three, PyAV the others.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from tfsepgan.audio.ogg import OggFile
from tfsepgan.errors import ConfigError, DataError

BYTES_PER_SAMPLE = {"FLOAT": 4, "DOUBLE": 8, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4}
FLOATS = ("FLOAT", "DOUBLE")
MPEG_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
AAC_RATES_HZ = (*MPEG_RATES_HZ, 64000, 88200, 96000)
LEAST_BIT_RATE_KBPS, MOST_BIT_RATE_KBPS = 16, 512
_VORBIS_LEVEL = 0.3  # compression: quality 7 of 10, about 220 kbit/s for stereo at 44.1 kHz
_TAGS_OF_SOUNDFILE = {"track": "tracknumber"}  # FFmpeg's name to libsndfile's, where they differ
TAGS = ("title", "artist", "album", "date", "track", "genre", "comment", "copyright")


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """One kind of file that stems can be written as."""

    suffix: str
    subtypes: tuple[str, ...] = ()
    """Sample formats, the default first; none for lossy codecs."""
    codec: str | None = None
    """FFmpeg's name of the codec; None where libsndfile writes."""
    bit_rate_kbps: int | None = None
    """Default bit rate of a file of two channels."""
    most_channels: int = 64
    mixed_up_channels: tuple[int, ...] = ()
    """Channel counts for which the encoder changes the order of the channels."""
    rates_hz: tuple[int, ...] | None = None
    """The sample rates that it supports; None means all up to `most_hz`."""
    most_hz: int = 768_000

    def rate_for(self, sample_rate_hz: int) -> int:
        """The rate that stems are written at: that of the recording if the format supports it.

        Else the next supported rate above it, or the highest.
        """
        if self.rates_hz is None:
            return min(sample_rate_hz, self.most_hz)
        return next((rate for rate in self.rates_hz if rate >= sample_rate_hz), self.rates_hz[-1])


ENCODINGS = {
    "wav": Encoding(suffix=".wav", subtypes=("FLOAT", "DOUBLE", "PCM_16", "PCM_24", "PCM_32")),
    "flac": Encoding(
        suffix=".flac", subtypes=("PCM_24", "PCM_16"), most_channels=8, most_hz=655_350
    ),
    "ogg": Encoding(suffix=".ogg", most_channels=8, most_hz=192_000),
    "mp3": Encoding(
        suffix=".mp3",
        codec="libmp3lame",
        bit_rate_kbps=256,
        most_channels=2,
        rates_hz=MPEG_RATES_HZ,
    ),
    "m4a": Encoding(
        suffix=".m4a",
        codec="aac",
        bit_rate_kbps=256,
        most_channels=8,
        mixed_up_channels=(7,),  # by FFmpeg of PyAV 19
        rates_hz=AAC_RATES_HZ,
    ),
    "opus": Encoding(
        suffix=".opus",
        codec="libopus",
        bit_rate_kbps=160,
        most_channels=8,
        mixed_up_channels=(5, 7),
        rates_hz=(48000,),
    ),
}


@dataclass(frozen=True, kw_only=True)
class StemFormat:
    """How stems are written: the kind of file, and its sample format or bit rate."""

    name: str = "wav"
    """One of ENCODINGS."""
    subtype: str | None = None
    """Sample format of WAV and FLAC; None takes the default of the encoding."""
    bit_rate_kbps: int | None = None
    """Bit rate of MP3, M4A and Opus for two channels; None takes the default of the encoding."""

    @property
    def encoding(self) -> Encoding:
        """The limits of this kind of file."""
        return ENCODINGS[self.name]

    @property
    def sample_format(self) -> str | None:
        """libsndfile's name of the subtype; None for lossy codecs."""
        subtypes = self.encoding.subtypes
        return (self.subtype or subtypes[0]).upper() if subtypes else None

    @property
    def cannot_clip(self) -> bool:
        """True when the format holds samples beyond full scale."""
        return self.sample_format in FLOATS

    @property
    def top(self) -> float:
        """The largest sample that the format holds; full scale is 1."""
        return (
            1.0 - 2.0 ** (1 - 8 * BYTES_PER_SAMPLE[self.sample_format])
            if self.sample_format
            else 1.0
        )

    @property
    def bytes_per_sample(self) -> float:
        """About how many bytes a sample takes on the disk at most."""
        return BYTES_PER_SAMPLE[self.sample_format] if self.sample_format else 1.0

    def stored(self, samples: np.ndarray) -> np.ndarray:
        """Samples as the encoder takes them; for PCM, 32-bit integers.

        The integers are exact multiples of a step of the format. Floating-point samples are not
        exact: the encoder multiplies them by one step less than full scale.
        """
        if self.sample_format is None or self.cannot_clip:
            return samples
        bits = 8 * BYTES_PER_SAMPLE[self.sample_format]
        full = 2.0 ** (bits - 1)
        exact = np.float32 if bits <= 24 else np.float64  # holds every step
        steps = full * samples.astype(exact)
        np.clip(np.rint(steps, out=steps), -full, full - 1, out=steps)
        steps *= 2.0 ** (32 - bits)
        return steps.astype(np.int32)

    def __str__(self) -> str:
        return self.sample_format or self.name.upper()

    def check(self) -> None:
        """Raise ConfigError unless the format exists and can be written here."""
        if self.name not in ENCODINGS:
            raise ConfigError(f"got format {self.name!r}; wanted one of {', '.join(ENCODINGS)}")
        if self.encoding.codec is not None:
            try:
                import av  # noqa: F401
            except ImportError as error:
                raise ConfigError(
                    f"{self.name} is written by PyAV, which cannot be loaded ({error}). Run: pip"
                    " install av"
                ) from error
        subtypes = self.encoding.subtypes
        if self.subtype is not None and self.subtype.upper() not in subtypes:
            wanted = (
                f"wanted one of {', '.join(subtypes)}"
                if subtypes
                else f"{self.name} has no subtypes; leave it out"
            )
            raise ConfigError(f"got subtype {self.subtype!r}; {wanted}")
        if self.bit_rate_kbps is None:
            return
        if self.encoding.bit_rate_kbps is None:
            raise ConfigError(
                f"got a bit rate of {self.bit_rate_kbps} kbit/s; {self.name} takes no bit rate;"
                " leave it out"
            )
        if not LEAST_BIT_RATE_KBPS <= self.bit_rate_kbps <= MOST_BIT_RATE_KBPS:
            raise ConfigError(
                f"got a bit rate of {self.bit_rate_kbps} kbit/s; wanted {LEAST_BIT_RATE_KBPS} to"
                f" {MOST_BIT_RATE_KBPS}"
            )

    def check_channels(self, channels: int) -> None:
        """Raise DataError where the format cannot hold this many channels."""
        if channels in self.encoding.mixed_up_channels:
            raise DataError(
                f"the recording has {channels} channels, which {self.name} mixes up; use wav"
            )
        if channels > self.encoding.most_channels:
            raise DataError(
                f"the recording has {channels} channels and {self.name} holds at most"
                f" {self.encoding.most_channels}; use wav"
            )


def open_encoder(
    path: Path, form: StemFormat, *, rate_hz: int, channels: int, tags: dict[str, str] | None = None
):
    """Open a new sound file for writing.

    Args:
      path: of the new file; its suffix does not matter.
      form: format of the file.
      rate_hz, channels: of the samples; the format must support the rate.
      tags: values by the names in TAGS.
    Returns: an object with `write(samples)`, samples float32 `[time, channels]`, and `close()`.
    """
    encoding = form.encoding
    if encoding.codec is not None:
        return ContainerEncoder(path, form, rate_hz=rate_hz, channels=channels, tags=tags)
    subtype = form.sample_format or "VORBIS"
    level = {} if form.sample_format else {"compression_level": _VORBIS_LEVEL}
    file = soundfile.SoundFile(
        path, "w", rate_hz, channels, subtype=subtype, format=form.name.upper(), **level
    )
    for name, value in (tags or {}).items():
        setattr(file, _TAGS_OF_SOUNDFILE.get(name, name), value)
    return file if form.sample_format else OggFile(path, file)


class ContainerEncoder:
    """A sound file that PyAV writes; the arguments are those of `open_encoder`."""

    def __init__(
        self,
        path: Path,
        form: StemFormat,
        *,
        rate_hz: int,
        channels: int,
        tags: dict[str, str] | None,
    ):
        import av

        self._av, self._rate_hz, self._written = av, rate_hz, 0
        kind = {"m4a": "ipod", "opus": "ogg"}.get(form.name, form.name)
        # "bitexact": no random numbers and no time in the file
        self._container = av.open(str(path), "w", format=kind, options={"fflags": "bitexact"})
        self._container.metadata.update(tags or {})
        self._layout = _LAYOUTS[channels]
        self._stream = self._container.add_stream(
            form.encoding.codec, rate=rate_hz, layout=self._layout
        )
        per_two = form.bit_rate_kbps or form.encoding.bit_rate_kbps
        self._stream.bit_rate = round(1000 * per_two * max(1, channels) / 2)
        self._fitted = av.AudioResampler(
            format=self._stream.codec_context.format, layout=self._layout, rate=rate_hz
        )

    def write(self, samples: np.ndarray) -> None:
        """Append `[time, channels]` float32."""
        if not len(samples):
            return
        packed = np.ascontiguousarray(samples).reshape(1, -1)  # PyAV has no planes for 8 channels
        frame = self._av.AudioFrame.from_ndarray(packed, format="flt", layout=self._layout)
        frame.sample_rate, frame.pts = self._rate_hz, self._written
        self._written += len(samples)
        for converted in self._fitted.resample(frame):
            self._container.mux(self._stream.encode(converted))

    def close(self) -> None:
        """Write the samples that the encoder still holds, and close the file."""
        if self._container is None:
            return
        container, self._container = self._container, None
        try:
            container.mux(self._stream.encode(None))
        finally:
            container.close()


_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
