"""MIDI files to scores and back, with mido.

Reading keeps notes, pedals, modulation, expression, volume and pitch wheel. A part is one channel
of one track. Notes without an end last until the end of their track.
"""

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tfsepgan.errors import DataError
from tfsepgan.rendering.optional import import_optional
from tfsepgan.rendering.score import PITCH_WHEEL, Control, Note, Part, Score

DRUM_CHANNEL = 9
_MELODIC_CHANNELS = tuple(channel for channel in range(16) if channel != DRUM_CHANNEL)
_KEPT_CONTROLS = {1, 7, 11, 64, 66, 67}  # modulation, volume, expression, sustain, sostenuto, soft
_TICKS_PER_SECOND = 10_000  # in written files: 0.1 ms, finer than a synthesizer's time step
_LONGEST_HOURS = 12  # a file with later events is damaged


class _Voice(NamedTuple):
    """One channel of a track while it is being read."""

    notes: list[Note]
    controls: list[Control]
    sounding: dict[int, list[tuple[float, int]]]
    programs: list[int]


def read_midi(path: Path) -> Score:
    """Read a standard MIDI file.

    Returns: a part for every channel of every track with notes, in the file's order.
    Raises: DataError with the file's name when it is damaged, is no MIDI file, or has no notes.
    """
    mido = import_optional("mido", wanted_by="MIDI files need", extra="render")
    try:
        file = mido.MidiFile(str(path), clip=True)
    except OSError as error:  # mido raises it for a wrong header, too
        raise DataError(
            f"{path} cannot be read as MIDI ({error}). Copy it again or remove it."
        ) from error
    except Exception as error:  # damage raises various errors in mido's parser
        reason = f"{type(error).__name__} {error}".strip()
        raise DataError(
            f"{path} is a damaged MIDI file ({reason}). Copy it again or remove it."
        ) from error
    if not 0 < file.ticks_per_beat < 0x8000 or file.type == 2:
        raise DataError(
            f"{path} counts time in frames or holds separate songs (division {file.ticks_per_beat},"
            f" type {file.type}); expected: type 0 or 1 in beats. Save it again from a sequencer."
        )
    tempo = _TempoMap(file)
    parts = tuple(_parts(file.tracks, tempo))
    if not parts:
        raise DataError(f"{path} holds no notes. Remove it.")
    if max(part.seconds for part in parts) > _LONGEST_HOURS * 3600:
        raise DataError(
            f"{path} is longer than {_LONGEST_HOURS} hours, so its times are damaged. Remove it."
        )
    return Score(path=Path(path), parts=parts)


class _TempoMap:
    """Converts ticks to seconds, with the tempo changes of all tracks."""

    def __init__(self, file):
        changes = {}
        for track in file.tracks:
            tick = 0
            for message in track:
                tick += message.time
                if message.type == "set_tempo":
                    changes[tick] = message.tempo
        self._per_beat = file.ticks_per_beat
        # microseconds a beat until the first tempo change
        self._ticks, self._seconds, self._tempos = [0], [0.0], [500_000]
        for tick in sorted(changes):
            self._seconds.append(self.seconds(tick))
            self._ticks.append(tick)
            self._tempos.append(changes[tick])

    def seconds(self, tick: int) -> float:
        """Seconds from the start to a tick."""
        at = bisect_right(self._ticks, tick) - 1
        since = (tick - self._ticks[at]) * self._tempos[at] / 1e6 / self._per_beat
        return self._seconds[at] + since


def _parts(tracks, tempo: _TempoMap):
    """A part for each channel of each track with notes.

    A channel's program and controls may be in another track.
    """
    all_voices = [_voices(track, tempo) for track in tracks]
    for track, voices in zip(tracks, all_voices, strict=True):
        for channel, voice in voices.items():
            if not voice.notes:
                continue
            programs, controls = [*voice.programs], [*voice.controls]
            for other in (them[channel] for them in all_voices if channel in them):
                if other is not voice:
                    programs += other.programs
                    controls += [] if other.notes else other.controls
            yield Part(
                name=(track.name or "").strip(),
                program=programs[0] if programs else 0,
                is_drums=channel == DRUM_CHANNEL,
                notes=tuple(sorted(voice.notes)),
                controls=tuple(sorted(controls, key=lambda control: control.time)),
            )


def _voices(track, tempo: _TempoMap) -> dict[int, _Voice]:
    """The notes and controls of each channel of a track.

    Notes without an end last until the end of the track.
    """
    voices: dict[int, _Voice] = {}
    tick = 0
    for message in track:
        tick += message.time
        channel = getattr(message, "channel", None)
        if channel is not None:
            voice = voices.setdefault(channel, _Voice([], [], {}, []))
            _add_message(voice, message, tempo.seconds(tick))
    end = tempo.seconds(tick)
    for voice in voices.values():
        for pitch, begun in voice.sounding.items():
            held = ((start, velocity) for start, velocity in begun if end > start)
            voice.notes.extend(Note(start, end, pitch, velocity) for start, velocity in held)
    return voices


def _add_message(voice: _Voice, message, now: float) -> None:
    """Add one message to a voice."""
    if message.type == "note_on" and message.velocity:
        voice.sounding.setdefault(message.note, []).append((now, message.velocity))
    elif message.type in ("note_on", "note_off"):
        begun = voice.sounding.get(message.note)
        if begun:
            start, velocity = begun.pop(0)
            if now > start:
                voice.notes.append(Note(start, now, message.note, velocity))
    elif message.type == "program_change":
        voice.programs.append(message.program)
    elif message.type == "control_change" and message.control in _KEPT_CONTROLS:
        voice.controls.append(Control(now, message.control, message.value))
    elif message.type == "pitchwheel":
        voice.controls.append(Control(now, PITCH_WHEEL, message.pitch))


class Event(NamedTuple):
    """A synthesizer event; `kind` orders simultaneous events: note ends before note starts."""

    time: float
    kind: int
    channel: int
    number: int
    value: int


CONTROL, END, BEGIN = 0, 1, 2


def events(parts: Sequence[Part]) -> list[Event]:
    """All events of parts that are played together, by time.

    Each part has its own channel.
    """
    found = []
    for number, part in enumerate(parts):
        found += _events(part, _channel(part, number))
    return sorted(found)


def _channel(part: Part, number: int) -> int:
    return DRUM_CHANNEL if part.is_drums else _MELODIC_CHANNELS[number % len(_MELODIC_CHANNELS)]


def _events(part: Part, channel: int) -> list[Event]:
    found = [Event(c.time, CONTROL, channel, c.number, c.value) for c in part.controls]
    found += [Event(note.start, BEGIN, channel, note.pitch, note.velocity) for note in part.notes]
    return found + [Event(note.end, END, channel, note.pitch, 0) for note in part.notes]


def write_midi(path: Path, parts: Sequence[Part], *, seconds: float) -> None:
    """Write parts as a MIDI file, one track each.

    Args:
      path: the file.
      parts: what is played.
      seconds: length of the file, longer than the last note so that its sound can decay.
    Raises: OSError when it cannot be written.
    """
    mido = import_optional("mido", wanted_by="MIDI files need", extra="render")
    file = mido.MidiFile(ticks_per_beat=_TICKS_PER_SECOND)  # a beat is a second
    file.tracks.append(mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=1_000_000)]))
    for number, part in enumerate(parts):
        channel = _channel(part, number)
        name = part.name.encode("latin-1", "replace").decode("latin-1")
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
        track.append(mido.Message("program_change", channel=channel, program=part.program))
        now = 0
        for event in sorted(_events(part, channel)):
            tick = round(event.time * _TICKS_PER_SECOND)
            track.append(_message(mido, event).copy(time=tick - now))
            now = tick
        rest = max(0, round(seconds * _TICKS_PER_SECOND) - now)
        track.append(mido.MetaMessage("end_of_track", time=rest))
        file.tracks.append(track)
    file.save(str(path))


def _message(mido, event: Event):
    channel, number, value = event.channel, event.number, event.value
    if event.kind == BEGIN:
        return mido.Message("note_on", channel=channel, note=number, velocity=value)
    if event.kind == END:
        return mido.Message("note_off", channel=channel, note=number)
    if number == PITCH_WHEEL:
        return mido.Message("pitchwheel", channel=channel, pitch=value)
    return mido.Message("control_change", channel=channel, control=number, value=value)
