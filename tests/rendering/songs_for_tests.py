"""A small song in the format of POP909, for the tests of the arranger."""

from rendering_for_tests import part

from tfsepgan.rendering.midi import write_midi

BEAT = 0.5  # seconds
CHORDS = ("C:maj", "A:min7", "F:maj/3", "G:sus4(b7)")


def write_song(
    folder, number="001", *, bars=16, metre=4, chords=CHORDS, names=("MELODY", "BRIDGE", "PIANO")
):
    """A MIDI file with beats and chords next to it.

    It has one chord for each bar, a melody note for each beat, and a piano of half notes.
    """
    folder = folder / number
    folder.mkdir(parents=True, exist_ok=True)
    beats = bars * metre
    tunes = {
        "MELODY": [(n * BEAT, (n + 0.9) * BEAT, 67 + n % 5) for n in range(beats)],
        "BRIDGE": [(n * BEAT, (n + 1.8) * BEAT, 74) for n in range(0, beats, 4)],
        "PIANO": [
            (n * BEAT, (n + 2) * BEAT, pitch)
            for n in range(0, beats, 2)
            for pitch in (48, 52, 64, 67)
        ],
    }
    parts = [part(*tunes[name], name=name) for name in names]
    write_midi(folder / f"{number}.mid", parts, seconds=beats * BEAT + 1)
    lines = [f"{n * BEAT} {float(n % 2 == 0)} {float(n % metre == 0)}" for n in range(beats + 1)]
    (folder / "beat_midi.txt").write_text("\n".join(lines))
    bar = metre * BEAT
    named = [f"{n * bar}\t{(n + 1) * bar}\t{chords[n % len(chords)]}" for n in range(bars)]
    (folder / "chord_midi.txt").write_text("\n".join(named))
    return folder / f"{number}.mid"
