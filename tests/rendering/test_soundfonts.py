"""Instrument classes, soundfonts and SFZ pianos."""

import numpy as np
import pytest
import soundfile
from rendering_for_tests import sfz_piano, sine_zone, writer

from tfsepgan.errors import ConfigError, DataError
from tfsepgan.rendering.instruments import CLASSES, class_of, classes_named
from tfsepgan.rendering.soundfonts import open_soundfont


def test_every_program_of_general_midi_is_in_exactly_one_class():
    listed = [
        program for kind in CLASSES.values() if kind.name != "drums" for program in kind.programs
    ]
    assert sorted(listed) == list(range(128))
    assert class_of(40, is_drums=False) == "violin"
    assert class_of(40, is_drums=True) == "drums"
    with pytest.raises(ConfigError, match="no instrument class viola_da_gamba; there are cello"):
        classes_named(["viola_da_gamba"])


def test_a_soundfont_says_what_it_holds(tmp_path):
    path = tmp_path / "violin.sf2"
    assert (
        writer.write_soundfont(path, [sine_zone()], title="Sines", copyright="CC0", preset=(0, 40))
        == 1
    )
    font = open_soundfont("sines", path)
    assert (font.presets, font.title, font.copyright) == (frozenset({(0, 40)}), "Sines", "CC0")
    assert font.programs(CLASSES["violin"]) == (40,)
    assert font.programs(CLASSES["piano"]) == ()


def test_a_bad_soundfont_is_named(tmp_path):
    path = tmp_path / "some.sf2"
    writer.write_soundfont(path, [sine_zone()], title="Sines", copyright="CC0")
    whole = path.read_bytes()
    for spoiled in (b"", b"RIFF1234WAVE", whole[: len(whole) // 2], whole[:300]):
        path.write_bytes(spoiled)
        with pytest.raises(DataError, match=r"some\.sf2"):
            open_soundfont("some", path)
    with pytest.raises(DataError, match="cannot be read"):
        open_soundfont("some", tmp_path / "none.sf2")


def test_an_sfz_piano_with_includes_and_defines_becomes_zones(tmp_path):
    (tmp_path / "Samples").mkdir()
    (tmp_path / "Data").mkdir()
    for name, level in (("Soft A4.wav", 0.25), ("Loud A4.wav", 0.5)):
        soundfile.write(
            tmp_path / "Samples" / name, np.full((4410, 2), level), 44100, subtype="PCM_24"
        )
    (tmp_path / "Data" / "layer.txt").write_text(
        "<region> #define $KEY 69 lokey=60 hikey=c5 sample=$DYN A4.$EXT // x\n"
    )
    (tmp_path / "p.sfz").write_text(
        "#define $EXT wav\n<control>\ndefault_path=Samples/\nset_cc70=0\n"
        "<global>\nampeg_release=0.5\n<group>\n"
        "locc70=1\n<region> sample=Soft A4.wav key=69\n"
        "<group> lovel=1 hivel=64 pitch_keycenter=69\n#define $DYN Soft\n"
        '#include "Data/layer.txt"\n<group> lovel=65 pitch_keycenter=a4 group_volume=-6.0206\n'
        "#define $DYN Loud\n"
        '#include "Data/layer.txt"\n<region> trigger=release sample=Loud A4.wav key=69\n'
    )
    soft, loud = sfz_piano.sfz_zones(tmp_path / "p.sfz")
    assert (soft.keys, soft.velocities, soft.root) == ((60, 72), (1, 64), 69)
    assert (loud.velocities, loud.root, loud.release_seconds) == ((65, 127), 69, 0.5)
    # 6 dB softer, twice as high: alike
    assert abs(int(soft.samples.max()) - int(loud.samples.max())) <= 2
    assert soft.samples.shape == (4410, 2)
