"""Sampled instruments: keys and velocities from file names, tuning, and free licences."""

import re
import subprocess

import numpy as np
import pytest
import soundfile
from rendering_for_tests import from_recipes, note_samples, sfz_text, writer

from tfsepgan.rendering.instruments import CLASSES

sampled = from_recipes("sampled")
struck = from_recipes("struck_strings")
synthesised = from_recipes("synthesised")
instruments = from_recipes("instruments")
table = from_recipes("instruments_table")
variants = from_recipes("piano_variants")
piano, calls = from_recipes("piano_soundfonts"), from_recipes("piano_calls")
songs = from_recipes("songs")
get_sources = from_recipes("get_sources")
RATE_HZ = 22050
FREE = re.compile(r"(CC0-1\.0|CC-BY-[34]\.0|MIT|Apache-2\.0|public domain|free for any use)( \(|$)")


def tone(key, *, cents=0.0, level=0.5, seconds=1.2, harmonics=(1.0, 0.5, 0.3)):
    """A note with harmonics, `[time]`."""
    hz = 440 * 2 ** ((key - 69 + cents / 100) / 12)
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (
        level
        * sum(a * np.sin(2 * np.pi * hz * (1 + n) * time) for n, a in enumerate(harmonics))
        / sum(harmonics)
    )


def write(path, sound):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, RATE_HZ, subtype="FLOAT", format="WAV")


@pytest.mark.parametrize("cents", [-40.0, 0.0, 25.0])
def test_a_note_out_of_tune_is_measured_and_corrected(cents):
    sound = tone(45, cents=cents)
    assert abs(sampled.cents_off(sound, RATE_HZ, 45) - cents) < 1
    assert sampled.tuning_correction(sound[:, None], RATE_HZ, 45) == (
        -round(cents) if abs(cents) > sampled.IN_TUNE_CENTS else 0
    )


@pytest.mark.parametrize("wrong", [33, 57, 40])
def test_another_pitch_or_octave_is_no_pitch(wrong):
    assert sampled.cents_off(tone(wrong), RATE_HZ, 45) == sampled.NO_PITCH
    assert sampled.tuning_correction(tone(wrong)[:, None], RATE_HZ, 45) == 0


def test_a_pattern_takes_notes_and_layers_and_leaves_the_rest(tmp_path):
    for note, key in (("e2", 28), ("bb2", 34)):  # an octave above what sounds
        for layer, level in (("p", 0.1), ("f", 0.4)):
            for take in (1, 2):
                write(tmp_path / f"{note}_{layer}_rr{take}.wav", tone(key, level=level))
    write(tmp_path / "noise_rr1.wav", tone(30))
    pattern = r"^(?P<note>[a-g]b?\d)_(?P<layer>p|f)_rr1"
    zones = list(sampled.pattern_zones(tmp_path, pattern, layers=("p", "f"), octaves=-1))
    assert [(zone.root, zone.velocities) for zone in zones] == [
        (28, (0, 64)),
        (34, (0, 64)),
        (28, (65, 127)),
        (34, (65, 127)),
    ]
    assert {zone.cents for zone in zones} == {0}
    with pytest.raises(SystemExit, match="has a name like"):
        list(sampled.pattern_zones(tmp_path, r"(?P<note>x\d)"))


def test_silence_before_a_note_is_cut(tmp_path):
    write(tmp_path / "c3.wav", np.concatenate([np.zeros(RATE_HZ // 2), tone(48)]))
    (zone,) = sampled.pattern_zones(tmp_path, r"(?P<note>c3)")
    assert abs(len(zone.samples) - 1.2 * RATE_HZ) < 0.01 * RATE_HZ


def test_a_kit_keeps_levels_of_pieces_orders_layers_and_fills_velocities(tmp_path):
    for number, level in enumerate((0.4, 0.1, 0.2)):
        write(tmp_path / f"kick{number}.wav", tone(40, level=level))
    write(tmp_path / "hat.wav", tone(90, level=0.1))
    zones = list(sampled.kit_zones(tmp_path, {(36,): "kick", (42, 44): "hat"}))
    kicks = [zone for zone in zones if zone.keys == (36, 36)]
    assert [zone.velocities for zone in kicks] == [(0, 42), (43, 84), (85, 127)]
    peaks_db = 20 * np.log10([np.abs(zone.samples.astype(float)).max() for zone in kicks])
    assert np.allclose(np.diff(peaks_db), sampled.LAYER_STEP_DB, atol=0.05)
    hats = [zone for zone in zones if zone.keys[0] != 36]
    assert {zone.keys[0] for zone in hats} == {42, 44} and all(zone.chokes == 1 for zone in hats)
    quieter = (
        np.abs(hats[0].samples.astype(float)).max() / np.abs(kicks[-1].samples.astype(float)).max()
    )
    assert abs(quieter - 0.25) < 0.02


def test_microphones_of_a_kit_are_added(tmp_path):
    write(tmp_path / "near" / "kick.wav", tone(40, level=0.3))
    write(tmp_path / "far" / "kick.wav", -tone(40, level=0.3) + tone(52, level=0.1))
    (zone,) = sampled.kit_zones(tmp_path, {(36,): "near/kick"}, microphones=("near", "far"))
    assert sampled.cents_off(zone.samples[:, 0].astype(float), RATE_HZ, 52) < 2


def test_an_amplifier_adds_harmonics_and_keeps_the_pitch():
    clean = tone(52, harmonics=(1.0,))[:, None]
    driven = sampled.driven(clean, RATE_HZ, 30.0)
    assert driven.shape == clean.shape and abs(np.abs(driven).max() - note_samples.PEAK) < 1e-3
    assert abs(sampled.cents_off(driven[:, 0], RATE_HZ, 52)) < 2
    power = np.abs(np.fft.rfft(driven[:RATE_HZ, 0])) ** 2  # a bin a hertz
    hz = 440 * 2 ** ((52 - 69) / 12)
    first, third = (power[round(hz * n) - 3 : round(hz * n) + 4].sum() for n in (1, 3))
    assert third > 0.02 * first


def test_of_several_takes_of_an_sfz_region_the_first_plays():
    region = {"sample": "a.wav"}
    assert sfz_text.sounds_by_itself(region | {"seq_position": "1"})
    assert not sfz_text.sounds_by_itself(region | {"seq_position": "2"})
    assert not sfz_text.sounds_by_itself(region | {"lorand": "0.25"})


def zone(keys, velocities=(0, 127)):
    samples = writer.to_pcm16(tone(60)[:, None])
    return writer.Zone(samples=samples, rate_hz=RATE_HZ, root=60, keys=keys, velocities=velocities)


def test_a_smaller_piano_plays_its_samples_higher_and_leaves_no_key_silent():
    smaller = variants.Variant("splendid", "", keys=4)
    found = list(variants.varied([zone((21, 50)), zone((51, 80)), zone((81, 108))], smaller))
    assert [each.keys for each in found] == [(0, 54), (55, 84), (85, 127)]
    assert {each.root for each in found} == {60}


def test_a_honky_tonk_is_two_copies_apart_and_one_layer_takes_all_velocities():
    variant = variants.Variant("upright", "", apart_cents=14, velocities=(60, 127))
    found = list(variants.varied([zone((0, 127), (0, 59)), zone((0, 127), (60, 127))], variant))
    assert sorted(each.cents for each in found) == [-7, 7]
    assert {each.velocities for each in found} == {(0, 127)}


def test_felt_takes_highs_away_and_never_clips():
    felt = variants.Variant("upright", "", felt_hz=700.0, attack_seconds=0.015)
    bright = tone(84)[:, None]
    before = writer.to_pcm16(bright)
    after = variants.coloured(before, RATE_HZ, felt)
    assert after.shape == before.shape and np.abs(after).max() < 0.8 * np.abs(before).max()
    assert after[0, 0] == 0


def test_a_synthesizer_repeats_without_a_seam_and_in_tune():
    sound = synthesised.Synth(oscillators=1, sweep=2.0, attack_seconds=0.1)
    for zone in list(synthesised.synth_zones(sound, 3))[4:12:3]:
        start, end = zone.loop
        assert end == len(zone.samples) and end - start == start
        loop = zone.samples[start:end, 0].astype(float)
        step = np.abs(np.diff(loop)).max()
        assert abs(loop[0] - loop[-1]) <= step
        assert abs(sampled.cents_off(loop, zone.rate_hz, zone.root) + zone.cents) < 8


def test_every_instrument_has_a_class_a_free_licence_and_a_source():
    assert len(instruments.BY_NAME) == len(table.INSTRUMENTS)  # no name twice
    got = {*get_sources.REPOSITORIES, *get_sources.PACKAGES}
    for name, instrument in instruments.BY_NAME.items():
        assert instruments.class_of_instrument(name) in CLASSES
        assert FREE.match(instrument.licence), name
        made = isinstance(instrument.made, synthesised.Synth | struck.Struck)
        assert (
            made
            or instrument.folder.startswith("/usr/share/")
            or instrument.folder.split("/")[0] in got
        ), name
    assert all(FREE.match(piano.LICENCES[name].replace("; changed", "")) for name in piano.MORE)


def test_training_uses_nothing_of_the_yardstick():
    apart = {*songs.APART.fonts, *songs.APART.sampled}
    trained_on = {*songs.TRAINING.fonts, *songs.TRAINING.sampled}
    assert songs.APART.fonts == ("headroom", "vsco", "timgm") and not songs.APART.sampled
    assert (
        not apart & trained_on
        and not {variant.of for variant in variants.VARIANTS.values()} & apart
    )


def test_each_class_has_several_players():
    count = {}
    for name in instruments.BY_NAME:
        kind = instruments.class_of_instrument(name)
        count[kind] = count.get(kind, 0) + 1
    least = {
        "drums": 3,
        "bass": 8,
        "electric_guitar": 8,
        "acoustic_guitar": 4,
        "electric_piano": 4,
        "saxophone": 5,
    }
    assert all(count[kind] >= wanted for kind, wanted in least.items())
    assert count["piano"] == len(table.STRUCK)  # the sampled ones are in piano.py


def test_sampled_instruments_render_the_classes_that_they_have():
    made = ("muldjord", "growlybass", "tonejs_organ", "wurlitzer")
    drawn = list(calls.calls(640, 52, 0, sampled=made))[-3:]
    assert [call.fonts for call in drawn] == [
        ["growlybass"],
        ["tonejs_organ", "wurlitzer"],
        ["muldjord"],
    ]
    assert all(call.seed == calls.MORE_SEED for call in drawn)
    assert list(calls.calls(640, 52, 0)) == list(calls.calls(640, 52, 0, sampled=made))[:-3]


def test_sources_are_read_from_git_directories_that_lack_contents(tmp_path, monkeypatch, capsys):
    clone = tmp_path / "clones" / "someone+piano"
    (clone / "notes").mkdir(parents=True)
    for name in ("notes/c.wav", "notes/d.wav", "README"):
        (clone / name).write_text(name)

    def git(*words):
        line = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", clone, *words]
        return subprocess.run(line, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "-q")
    git("add", ".")
    git("commit", "-q", "-m", "notes")
    lost = git("rev-parse", "HEAD:notes/d.wav")
    (clone / ".git" / "objects" / lost[:2] / lost[2:]).unlink()
    monkeypatch.setitem(get_sources.REPOSITORIES, "grand", ("someone/piano", None, ("notes",)))
    get_sources.get("grand", tmp_path, [clone.parent])
    files = [path for path in (tmp_path / "grand").rglob("*") if path.is_file()]
    assert files == [tmp_path / "grand" / "notes" / "c.wav"]
    assert files[0].read_text() == "notes/c.wav"
    assert "lacks 1 files of grand" in capsys.readouterr().out
