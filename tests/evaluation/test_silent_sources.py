"""Silent sources and residuals that are zero by construction are not scored; others still are."""

import json
import math

import numpy as np
import pytest
from mixtures_for_tests import RATE, Mixture, tones

from tfsepgan.errors import DataError, ShapeError
from tfsepgan.evaluation.plots import draw_box_plots
from tfsepgan.evaluation.records import METRICS, Report
from tfsepgan.evaluation.references import any_residual
from tfsepgan.evaluation.report import print_report
from tfsepgan.evaluation.score import evaluate
from tfsepgan.evaluation.track import TrackJob, score_track

SOURCES = ("drums", "bass", "vocals")
SINES_HZ = dict(zip(SOURCES, (300.0, 700.0, 1100.0), strict=True))


def sine(name: str, *, seconds: float = 2.0) -> np.ndarray:
    """A sine of whole periods, orthogonal to one of another pitch; `[time, 1]`."""
    time = np.arange(int(seconds * RATE)) / RATE
    return (0.2 * np.sin(2 * np.pi * SINES_HZ[name] * time)).astype(np.float32)[:, None]


def song(name: str, *, silent=(), residual=None) -> Mixture:
    """A song whose every source is named; the mixture is exactly their sum in float32."""
    sources = {source: 0 * sine(source) if source in silent else sine(source) for source in SOURCES}
    mixture = sources["drums"] + sources["bass"] + sources["vocals"]
    if residual is not None:
        sources["residual"], mixture = residual, mixture + residual
    return Mixture(name=name, mixture=mixture, sources=sources)


def leaking(mixtures, leak: float = 0.1):
    """A separator whose estimates hold the other sources 20 dB lower."""
    truths = {item.mixture.tobytes(): item.sources for item in mixtures}

    def separate(audio, sample_rate_hz):
        truth = truths[audio.tobytes()]
        return {name: truth[name] + leak * (audio - truth[name]) for name in SOURCES}

    return separate


def evaluated(mixtures, output, **more):
    return evaluate(
        leaking(mixtures),
        mixtures,
        output,
        **{"sources": SOURCES, "workers": 0, "bss": False} | more,
    )


# A residual that is zero by construction.


def test_songs_with_every_source_named_have_no_residual_score(tmp_path):
    report = evaluated([song("one"), song("two")], tmp_path)
    assert report.sources == SOURCES
    for track in report.tracks:
        assert set(track.scores) == set(SOURCES) and track.notes == ()
        for source in SOURCES:
            # The estimate is s plus 0.1 of two sines of the same level, each orthogonal to s:
            # 10 log10(1 / 0.02); the mixture has 10 log10(1 / 2).
            model = track.scores[source]["model"]
            assert model["si_sdr"] == pytest.approx(10 * math.log10(1 / 0.02), abs=0.01)
            assert model["si_sdr_improvement"] == pytest.approx(20.0, abs=0.01)
    saved = json.loads((tmp_path / "report.json").read_text())
    assert saved["sources"] == list(SOURCES) and set(saved["summary"]) == set(SOURCES)
    assert Report.load(tmp_path) == report


def test_the_report_says_that_no_residual_is_scored(tmp_path, capsys):
    print_report(evaluated([song("one")], tmp_path))
    text = capsys.readouterr().out
    assert "no residual is scored" in text
    print_report(evaluated([song("one", residual=tones(5))], tmp_path))
    assert "no residual is scored" not in capsys.readouterr().out


def test_rounding_is_no_residual_and_a_quiet_source_is_one():
    exact = song("exact")
    assert not any_residual([exact], SOURCES)
    mixture = np.round(exact.mixture.astype(np.float64) * 2**15) / 2**15
    sources = {
        name: np.round(source.astype(np.float64) * 2**15) / 2**15
        for name, source in exact.sources.items()
    }
    quantised = Mixture(name="16 bits", mixture=mixture, sources=sources)
    assert np.any(mixture - sum(sources.values()))
    assert not any_residual([quantised], SOURCES)
    for gain in (1.0, 1e-4):  # the same whatever the level
        loud = Mixture(
            name="x",
            mixture=gain * exact.mixture,
            sources={n: gain * s for n, s in exact.sources.items()},
        )
        assert not any_residual([loud], SOURCES)
        assert any_residual([loud], SOURCES[:2])
        quiet = gain * (exact.mixture + 0.002 * tones(9))
        assert any_residual([Mixture(name="y", mixture=quiet, sources=loud.sources)], SOURCES)


def test_a_given_residual_counts_unless_it_is_silent(tmp_path):
    nothing = np.zeros_like(sine("bass"))
    assert any_residual([song("x", residual=1e-6 * tones(5))], SOURCES)
    assert evaluated([song("x", residual=nothing)], tmp_path).sources == SOURCES


def test_one_song_with_a_residual_is_enough_and_the_others_have_no_score_of_it(tmp_path):
    report = evaluated([song("named"), song("more", residual=tones(5))], tmp_path)
    assert report.sources == (*SOURCES, "residual")
    named, more = (track.scores["residual"]["model"]["si_sdr"] for track in report.tracks)
    assert math.isnan(named) and math.isfinite(more)
    assert (
        "source residual is silent here" in report.tracks[0].notes[0]
        and report.tracks[1].notes == ()
    )
    summary = report.summary()["residual"]["model"]["si_sdr"]
    assert (summary["tracks"], summary["undefined"], summary["mean"]) == (
        1,
        1,
        pytest.approx(more, abs=1e-4),
    )


def test_a_broken_mixture_does_not_decide_about_the_residual():
    broken = Mixture(name="broken", mixture=np.full((RATE, 1), np.nan), sources={})
    assert not any_residual([broken, song("named")], SOURCES)
    assert any_residual([broken, song("more", residual=tones(5))], SOURCES)
    assert any_residual([broken], SOURCES)  # nothing is known


# A silent source.


@pytest.mark.parametrize("bss", [False, True])
def test_a_silent_source_has_no_scores_and_the_others_have_theirs(tmp_path, bss):
    mixtures = [song("all"), song("no vocals", silent=("vocals",))]
    report = evaluated(mixtures, tmp_path, bss=bss)
    assert report.failures == ()
    scores = report.tracks[1].scores
    for kind in ("mixture", "model", "oracle"):
        assert set(scores["vocals"][kind]) == set(scores["bass"][kind])
        assert all(math.isnan(value) for value in scores["vocals"][kind].values())
        assert not any(math.isnan(value) for value in scores["bass"][kind].values())
    # One other source is left in the mixture and in the estimate.
    assert scores["bass"]["mixture"]["si_sdr"] == pytest.approx(0.0, abs=0.01)
    assert scores["bass"]["model"]["si_sdr"] == pytest.approx(20.0, abs=0.01)
    assert report.tracks[1].notes[0] == "source vocals is silent here, so it has no scores"
    saved = json.loads((tmp_path / "tracks" / report.tracks[1].file).read_text())
    assert set(saved["scores"]["vocals"]["model"].values()) == {None}


@pytest.mark.usefixtures("drawn_pictures")
def test_means_are_over_the_tracks_where_the_source_sounds(tmp_path):
    mixtures = [
        song("all"),
        song("no vocals", silent=("vocals",)),
        song("also all", residual=0 * sine("bass")),
    ]
    report = evaluated(mixtures, tmp_path)
    summary = report.summary()
    of_vocals, of_bass = (summary[source]["model"]["si_sdr"] for source in ("vocals", "bass"))
    assert (of_vocals["tracks"], of_vocals["undefined"]) == (2, 1)
    assert of_vocals["mean"] == pytest.approx(10 * math.log10(1 / 0.02), abs=0.01)
    assert (of_bass["tracks"], of_bass["undefined"]) == (3, 0)
    assert of_bass["mean"] == pytest.approx((2 * 10 * math.log10(1 / 0.02) + 20.0) / 3, abs=0.01)
    draw_box_plots(report, tmp_path / "boxes.png")


def test_a_source_that_sounds_alone_has_nothing_to_improve_on(tmp_path):
    report = evaluated(
        [song("solo", silent=("drums", "vocals"))], tmp_path, bss=True, sources=SOURCES
    )
    scores, notes = report.tracks[0].scores["bass"], report.tracks[0].notes
    assert all(
        math.isnan(value) for kind in ("mixture", "oracle") for value in scores[kind].values()
    )
    defined = {name for name, value in scores["model"].items() if not math.isnan(value)}
    assert set(METRICS) - defined == {"sir"} and not any(
        name.endswith("_improvement") for name in defined
    )
    assert notes[2].startswith("only bass sounds here")


def test_a_track_without_any_sound_is_an_error(tmp_path):
    with pytest.raises(DataError, match="source drums is silent .* and so is every other"):
        evaluated([song("hush", silent=SOURCES)], tmp_path)
    nothing = {name: np.zeros((RATE, 1)) for name in SOURCES}
    with pytest.raises(ShapeError, match="all of drums, bass, vocals are silent"):
        score_track(TrackJob(nothing, nothing, np.zeros((RATE, 1)), RATE, False, 1.0, 1.0))


def test_tables_show_undefined_scores(tmp_path, capsys):
    print_report(evaluated([song("no vocals", silent=("vocals",))], tmp_path), tracks=True)
    text = capsys.readouterr().out
    assert "source vocals is silent here" in text and "20.00" in text
