"""`tfsepgan-live`: separates the sound of a device or a file while it plays."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from rich.console import Console

from tfsepgan.cli.command import command, say, stopping_cleanly
from tfsepgan.cli.console import PlainConsole
from tfsepgan.cli.flags import read_options
from tfsepgan.errors import ConfigError, DataError

if TYPE_CHECKING:
    import numpy as np

    from tfsepgan.audio.growing_wav import GrowingWav

DEFAULT_MODEL = "piano-live"
WAKE_SECONDS = 0.05  # between looks at a running stream
REPORT_SECONDS = 1.0  # between lines on xruns
BLOCKS_AHEAD = 16  # of a file, computed before a device plays them


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """Separate a sound device while the music plays, until Ctrl-C.

    Devices need sounddevice: pip install 'tfsepgan[live]'. Files go as fast as possible."""

    model: str = DEFAULT_MODEL
    """Name of a model that ships with tfsepgan, a model folder, a run, or a streaming TFLite file.
    The latency is that of the model: 46 ms for piano-live, 2.4 s for piano."""
    input: str | None = None
    """Sound file; or number, name or part of the name of a device; default: that of the system."""
    output: str | None = None
    """File to write, NAME.wav, complete whenever the command ends; or a device, as the input."""
    source: str | None = None
    """Stem to play: a source of the model, or 'residual'; default: the first source."""
    gain_db: float = 0.0
    """Gain of the source, in dB."""
    others_db: float | None = None
    """Gain of everything else, in dB, to keep it in the background; default: silent."""
    channels: int = 2
    """Channels of the devices; a file has its own."""
    block: int | None = None
    """Samples computed at once, a multiple of the model's hop; default: the hop, for the shortest
    latency. Longer blocks are safer on a slow machine."""
    overwrite: bool = False
    """Replace the output file if it exists."""
    list_devices: bool = False
    """List the sound devices and end."""


def _live(arguments: list[str], console: Console) -> None:
    options = read_options(LiveOptions, arguments, program="tfsepgan-live")
    if options.list_devices:
        from tfsepgan.audio.devices import device_lines

        for line in device_lines():
            say(console, line)
        return
    from tfsepgan.separation.blas import shared_by

    # a matrix product has one thread: another would wait for it longer than it computes
    with stopping_cleanly(interrupts=True) as stop_here, shared_by(1 << 16):
        session = _Session(options, console)
        try:
            session.run(stop_here)
        except KeyboardInterrupt:
            pass  # the usual end
        finally:
            session.show_summary()


class _Session:
    """The two ends of a stream, files or devices, and the model between them."""

    def __init__(self, options: LiveOptions, console: Console):
        from tfsepgan.audio.decoding import read_blocks
        from tfsepgan.audio.probing import probe
        from tfsepgan.separation.live import Live, blocks_of, gains_of, open_stream

        self._options, self._console = options, console
        self._errors = PlainConsole(stderr=True, soft_wrap=True)
        self._read, self._written = _input_file(options.input), _output_file(options.output)
        info = None if self._read is None else probe(self._read)
        self._channels = options.channels if info is None else info.channels
        if self._channels < 1:
            raise ConfigError(f"got {self._channels} channels; wanted at least 1.")
        separator = open_stream(options.model, channels=self._channels, block=options.block)
        self._rate_hz = separator.sample_rate_hz
        block = options.block or separator.block_samples
        levels = {"gain_db": options.gain_db, "others_db": options.others_db}
        gains = gains_of(separator.stems, options.source, **levels)
        self._live = Live(separator, gains, block=block)
        if self._read is not None and info is not None:
            if info.sample_rate_hz != self._rate_hz:
                raise DataError(
                    f"{self._read} has {info.sample_rate_hz} Hz and {options.model} needs"
                    f" {self._rate_hz} Hz. Convert it, or use tfsepgan-separate, which takes any"
                    " rate."
                )
            self._mixture = blocks_of(read_blocks(self._read, info), block)
        self._xruns: Counter[str] = Counter()
        self._shown: Counter[str] = Counter()
        self._shown_at = self._started = 0.0
        self._clipped = 0

    def run(self, stop_here: Callable[[], None]) -> None:
        """Separate until the file ends, or `stop_here` raises.

        Raises: DataError when a device cannot be opened or is gone, or the disk is full; what was
          written is complete.
        """
        from tfsepgan.audio.growing_wav import GrowingWav

        with ExitStack() as stack:
            writer = None
            if self._written is not None:
                facts = {"sample_rate_hz": self._rate_hz, "channels": self._channels}
                file = GrowingWav(self._written, **facts, overwrite=self._options.overwrite)
                writer = stack.enter_context(file)
            try:
                if self._read is not None and writer is not None:
                    self._say_latency("")
                    for block in self._live.through(self._mixture):
                        writer.write(block)
                        stop_here()
                elif self._read is not None:
                    self._play(stop_here)
                else:
                    self._listen(writer, stop_here)
            finally:
                self._clipped = 0 if writer is None else writer.clipped_samples

    def _play(self, stop_here: Callable[[], None]) -> None:
        """From a file to a device."""
        import numpy as np

        from tfsepgan.separation.prefetch import ahead

        end = np.zeros((0, self._channels), np.float32)  # a block that is not full ends the stream
        with closing(ahead(self._live.through(self._mixture), depth=BLOCKS_AHEAD)) as outputs:
            self._stream(lambda nothing: next(outputs, end), lambda: None, stop_here)

    def _listen(self, writer: "GrowingWav | None", stop_here: Callable[[], None]) -> None:
        """From a device to a device, or to a file."""
        if writer is None:
            self._stream(self._live.exchange, lambda: None, stop_here)
            return
        ready: SimpleQueue[np.ndarray] = SimpleQueue()

        def write() -> None:
            while not ready.empty():
                writer.write(ready.get())

        try:
            self._stream(lambda samples: ready.put(self._live.add(samples)), write, stop_here)
        finally:
            write()
            writer.write(self._live.end())

    def _stream(
        self, process: Callable[[Any], Any], write: Callable[[], None], stop_here: Callable
    ) -> None:
        """Run a stream of devices; `write` is called while it runs."""
        from tfsepgan.audio.devices import DeviceStream

        devices = _device(self._options.input), _device(self._options.output)
        ends = {"reads": self._read is None, "writes": self._written is None, "devices": devices}
        facts = {"channels": self._channels, "sample_rate_hz": self._rate_hz}
        stream = DeviceStream(process, **ends, **facts, block=self._live.block)
        self._xruns = stream.xruns
        self._started = time.monotonic()
        with stream as device:
            self._say_latency(f", and {device.latency_ms:.0f} ms of the devices")
            while not device.finished:
                time.sleep(WAKE_SECONDS)
                write()
                self._show_xruns()
                device.check()
                stop_here()

    def _say_latency(self, of_devices: str) -> None:
        live = self._live
        say(
            self._console,
            f"{self._options.model}: {live.separator.latency_ms:.0f} ms from a sound to its stems"
            f"{of_devices}; blocks of {live.block} samples. Ctrl-C ends.",
        )

    def _troubles(self) -> Counter[str]:
        late = Counter({"late_block": self._live.late})
        return self._xruns + late

    def _show_xruns(self) -> None:
        """Print xruns and late blocks since the last line to stderr, at most once a second."""
        now = time.monotonic() - self._started
        if now < self._shown_at + REPORT_SECONDS:
            return
        troubles = self._troubles()
        new = troubles - self._shown
        if new:
            say(self._errors, f"{now:.1f} s: {_listed(new)}")
        self._shown, self._shown_at = troubles, now

    def show_summary(self) -> None:
        """Print how long the session ran, the times of a block, xruns and late blocks."""
        live = self._live
        if not live.seconds:
            return
        middle, high, worst = live.times_ms()
        lasts = 1000 * live.block / self._rate_hz
        say(
            self._console,
            f"{live.seconds:.1f} s in blocks of {lasts:.1f} ms. A block took {middle:.1f} ms (p50),"
            f" {high:.1f} ms (p99), {worst:.1f} ms (worst): {lasts / middle:.1f} x real time."
            f" {_listed(self._troubles()) or 'No xruns, no late blocks'}.",
        )
        if self._clipped:
            say(self._errors, f"{self._clipped} samples were clipped; use a lower --gain-db.")


def _listed(troubles: Counter[str]) -> str:
    """Write counts as '2 output underflows, 1 late block'."""
    return ", ".join(
        f"{count} {name.replace('_', ' ')}{'s' if count > 1 else ''}"
        for name, count in sorted(troubles.items())
        if count
    )


def _input_file(name: str | None) -> Path | None:
    """The path of an input that is a file; None for a device."""
    from tfsepgan.audio.formats import SUFFIXES

    if name is None or not (Path(name).is_file() or Path(name).suffix.lower() in SUFFIXES):
        return None
    return Path(name)


def _output_file(name: str | None) -> Path | None:
    """The path of an output that is a file; None for a device.

    Raises: ConfigError for a file of a format other than WAV.
    """
    from tfsepgan.audio.formats import SUFFIXES

    suffix = "" if name is None else Path(name).suffix.lower()
    if suffix and suffix != ".wav" and suffix in SUFFIXES:
        raise ConfigError(f"got the output {name!r}; tfsepgan-live writes NAME.wav.")
    return Path(name) if name is not None and suffix == ".wav" else None


def _device(name: str | None) -> int | str | None:
    return int(name) if name is not None and name.isdecimal() else name


main = command(_live)

if __name__ == "__main__":
    raise SystemExit(main())
