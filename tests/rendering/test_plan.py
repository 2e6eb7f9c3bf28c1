"""The plan of a rendering: classes, soundfonts, parts and splits; nothing is played."""

from pathlib import Path

import pytest
from rendering_for_tests import part

from tfsepgan.errors import ConfigError
from tfsepgan.rendering.plan import make_plan, split_of
from tfsepgan.rendering.reading import find_scores
from tfsepgan.rendering.settings import RenderSettings
from tfsepgan.rendering.soundfonts import SoundFont

LINE = tuple((k / 2, k / 2 + 0.5, 70 + k % 5) for k in range(20))
CHORDS = tuple((k / 2, k / 2 + 0.5, pitch) for k in range(20) for pitch in (45, 60, 64))


def a_font(name, *presets):
    return SoundFont(
        name=name, path=Path(f"{name}.sf2"), presets=frozenset(presets), title="", copyright=""
    )


GENERAL = a_font("general", *((0, program) for program in range(128)), (128, 0))


def plan_of(folder, fonts=(GENERAL,), **settings):
    return make_plan(find_scores({"set": folder}), fonts, RenderSettings(**settings))


def test_any_class_that_suits_gets_as_much_as_the_others(scores):
    parts = [part(*LINE, name="Melody"), part(*CHORDS, name="Piano")]
    folder = scores(*(f"s{number:02d}" for number in range(24)), parts=parts)
    plan = plan_of(
        folder, classes=("violin", "flute", "organ", "bass", "drums"), assign="any", targets=()
    )
    assert set(plan.seconds) == {"violin", "flute", "organ", "bass", "drums"}
    shares = [plan.seconds[name] for name in ("violin", "flute", "organ", "bass")]
    assert max(shares) < 1.2 * min(shares)
    assert plan.seconds["drums"] == 0  # no part is one, and none is made into one
    lines = {job.stems[0].class_name for job in plan.jobs if job.stems[0].parts == (0,)}
    assert lines == {"violin", "flute"}


def test_soundfonts_take_turns_in_each_class(scores):
    folder = scores(*(f"s{number:02d}" for number in range(12)))
    plan = plan_of(folder, [a_font(name, (0, 0)) for name in ("one", "two", "three")])
    used = [job.stems[0].soundfont for job in plan.jobs]
    assert {used.count(name) for name in ("one", "two", "three")} == {4}


def test_a_plan_stops_when_every_class_has_its_minutes(scores):
    folder = scores(*(f"s{number:02d}" for number in range(30)), parts=[part(*LINE, name="Melody")])
    plan = plan_of(folder, assign="any", classes=("violin", "flute"), minutes=1.0)
    assert all(60 <= seconds < 75 for seconds in plan.seconds.values())
    assert plan.jobs == plan_of(folder, assign="any", classes=("violin", "flute"), minutes=1.0).jobs


def test_only_the_selected_parts_are_played(scores):
    folder = scores("a", parts=[part(*LINE, name="MELODY"), part(*CHORDS, name="Piano left")])
    assert [job.stems[0].parts for job in plan_of(folder, parts=("piano*",)).jobs] == [(1,)]
    plan = plan_of(folder, [a_font("violin", (0, 40))])
    assert (plan.jobs, plan.left_out) == ([], 2)


def test_versions_of_a_piece_stay_in_one_split():
    settings = RenderSettings(valid_share=0.3, test_share=0.2)
    splits = [split_of(f"set/{number}", settings) for number in range(2000)]
    shares = {name: splits.count(name) / 2000 for name in ("train", "valid", "test")}
    assert shares == pytest.approx({"train": 0.5, "valid": 0.3, "test": 0.2}, abs=0.04)


def test_a_song_gives_every_part_an_instrument_of_its_own_as_long_as_there_are_enough(scores):
    folder = scores("a", parts=[part(*LINE, name=str(number)) for number in range(3)])
    plan = plan_of(folder, layout="multitrack", assign="any", classes=("violin", "flute"))
    (job,) = plan.jobs
    assert sorted(stem.class_name for stem in job.stems) == ["flute", "violin"]
    assert sorted(number for stem in job.stems for number in stem.parts) == [0, 1, 2]
    # one tempo, one key
    assert len({performance[:2] for stem in job.stems for performance in stem.performances}) == 1


def test_in_a_song_who_can_be_only_one_instrument_chooses_first(scores):
    folder = scores("a", parts=[part(*LINE, name="Melody"), part(*CHORDS, name="Chords")])
    (job,) = plan_of(folder, layout="multitrack", assign="any", classes=("piano", "violin")).jobs
    assert {stem.class_name: stem.parts for stem in job.stems} == {"piano": (1,), "violin": (0,)}


def test_settings_out_of_range_are_refused():
    for wrong in (
        {"versions": 0},
        {"valid_share": 1.0},
        {"workers": 0},
        {"minutes": -1.0},
        {"peak_db": 1.0},
    ):
        with pytest.raises(ConfigError, match=next(iter(wrong))):
            RenderSettings(**wrong)
