"""Pitch shift: what changes and by how much, and which other random draws stay the same."""

import numpy as np
import pytest
import soundfile
from augment_for_tests import RATE_HZ, WINDOW, batches, with_

from tfsepgan.config import AugmentConfig, check, with_data
from tfsepgan.data.augment.augmenter import Augmenter, longer_window
from tfsepgan.data.augment.pitch_shift import at_pitch, stretched
from tfsepgan.data.batches.mixing_laws import root_mean_square
from tfsepgan.data.recordings.demo import demo_directory
from tfsepgan.errors import ConfigError
from tfsepgan.systems import preset


def tone(hz, seconds=2.0, rate_hz=RATE_HZ):
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz)).astype(
        np.float32
    )


def strongest_hz(samples, rate_hz):
    """The frequency of a tone, from the spectrum of its middle: the top of a parabola through three
    bins, in dB."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    spectrum = 20 * np.log10(
        np.abs(np.fft.rfft(middle * np.blackman(len(middle)), 8 * len(middle))) + 1e-9
    )
    top = int(np.argmax(spectrum))
    below, at, above = spectrum[top - 1 : top + 2]
    return (top + 0.5 * (below - above) / (below - 2 * at + above)) * rate_hz / (8 * len(middle))


@pytest.fixture(scope="module")
def demo_music():
    """Five seconds of a piano and of drums, at 16 kHz."""
    folder = demo_directory() / "train"
    found = [sorted(folder.glob(f"{name}/**/*.ogg"))[0] for name in ("piano", "**/drums")]
    return [soundfile.read(path, start=80_000, frames=80_000, dtype="float32")[0] for path in found]


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
@pytest.mark.parametrize("semitones", [-12.0, -3.0, -0.37, 1.0, 3.0, 12.0])
def test_a_tone_moves_by_so_many_semitones_and_lasts_as_long(semitones, rate_hz):
    for hz in (110.0, 1000.0):
        before = tone(hz, 1.5, rate_hz)
        after = at_pitch(before, semitones, rate_hz)
        assert after.dtype == np.float32 and after.shape == before.shape
        assert 1200 * np.log2(strongest_hz(after, rate_hz) / hz) == pytest.approx(
            100 * semitones, abs=2.0
        )
        quarter = len(after) // 4
        assert root_mean_square(after[quarter:-quarter]) == pytest.approx(
            0.5 / np.sqrt(2), rel=0.02
        )


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_pitch_and_speed_are_one_resampling_and_both_apply(speed):
    after = at_pitch(tone(440.0, 4.0, 44100), 3.0, 44100, speed)
    assert len(after) == int(4 * 44100 / speed)
    spectrum = np.abs(np.fft.rfft(after[22050:-22050] * np.hanning(len(after) - 44100)))
    hertz = np.argmax(spectrum) * 44100 / (len(after) - 44100)
    assert hertz == pytest.approx(440 * 2 ** (3 / 12) * speed, abs=1.0)


def test_a_moved_tone_is_as_clean_as_a_tone():
    """All but a thousandth of the energy lies where the tone was moved to: frames join without
    beats or clicks."""
    after = at_pitch(tone(440.0, 3.0, 44100), 3.0, 44100)[22050:-22050]
    power = np.abs(np.fft.rfft(after * np.hanning(len(after)))) ** 2
    top = int(np.argmax(power))
    assert power[top - 8 : top + 9].sum() > 0.999 * power.sum()


@pytest.mark.parametrize("semitones", [-3.0, 2.0, 3.0])
def test_a_train_of_impulses_keeps_its_places(semitones):
    """Each click stays within 5 ms of where it was, and stays a click; nothing drifts."""
    rate_hz, places = 44100, np.arange(8000, 120_000, 11_025)
    clicks = np.zeros(131_072, np.float32)
    clicks[places] = 1
    after = at_pitch(clicks, semitones, rate_hz) ** 2
    for place in places:
        near = after[place - 5000 : place + 5000]
        centre = np.sum(near * np.arange(-5000, 5000)) / near.sum()
        assert abs(centre) < 0.005 * rate_hz
        top = int(np.argmax(near))
        assert near[max(0, top - 220) : top + 221].sum() > 0.7 * near.sum()  # 5 ms either way


def test_no_semitones_are_no_change():
    noise = np.random.default_rng(0).standard_normal(5000).astype(np.float32)
    assert at_pitch(noise, 0.0, RATE_HZ) is noise


@pytest.mark.parametrize("semitones", [-3.0, -1.0, 1.0, 3.0])
def test_music_keeps_its_energy_within_a_decibel(demo_music, semitones):
    for samples in demo_music:
        change_db = 20 * np.log10(
            root_mean_square(at_pitch(samples, semitones, 16000)) / root_mean_square(samples)
        )
        assert abs(change_db) < 1.0


def test_music_keeps_its_time_and_only_its_pitch_moves(demo_music):
    """Loudness goes up and down with the recording's; the spectrum as a whole lies higher."""
    piano = demo_music[0]
    after = at_pitch(piano, 3.0, 16000)
    loudness = [np.sqrt(np.mean(one.reshape(-1, 800) ** 2, axis=1)) for one in (piano, after)]
    assert np.corrcoef(*loudness)[0, 1] > 0.97
    hertz = np.geomspace(150, 1500, 2000)
    spectra = [
        np.interp(hertz, np.fft.rfftfreq(len(one), 1 / 16000), np.abs(np.fft.rfft(one)))
        for one in (piano, after)
    ]
    step = np.log2(hertz[1] / hertz[0]) * 12
    likeness = [np.vdot(spectra[0][:-shift], spectra[1][shift:]) for shift in range(1, 400)]
    assert (1 + int(np.argmax(likeness))) * step == pytest.approx(3.0, abs=0.05)


@pytest.mark.parametrize("ratio", [0.5, 0.9, 1.3, 2.0])
def test_stretched_music_is_so_much_longer(ratio):
    samples = tone(300.0)
    after = stretched(samples, ratio, RATE_HZ)
    assert len(after) == np.ceil(len(samples) * ratio)
    assert strongest_hz(after, RATE_HZ) == pytest.approx(300.0, abs=0.3)


@pytest.mark.parametrize("length", [1, 7, 64, 500, 4096])
def test_short_windows_silence_and_constants_are_no_error(length):
    for samples in (np.zeros(length, np.float32), np.full(length, 0.5, np.float32)):
        for semitones in (-12.0, 0.01, 12.0):
            after = at_pitch(samples, semitones, RATE_HZ)
            assert (
                after.shape == samples.shape
                and np.isfinite(after).all()
                and np.abs(after).max() < 1
            )
    assert not at_pitch(np.zeros(length, np.float32), 3.0, RATE_HZ).any()


def test_the_same_window_gives_the_same_bits_and_is_not_touched(demo_music):
    before = demo_music[0].copy()
    np.testing.assert_array_equal(
        at_pitch(demo_music[0], 2.3, 16000), at_pitch(demo_music[0], 2.3, 16000)
    )
    np.testing.assert_array_equal(demo_music[0], before)


def test_the_pitch_stays_in_its_range_and_is_drawn_with_its_probability():
    augmenter = Augmenter(with_(pitch=0.5, pitch_semitones=(-1.0, 2.0)))
    drawn = np.array([augmenter.pitch(step, 0, row) for step in range(100) for row in (-1, 0, 1)])
    assert np.mean(drawn != 0) == pytest.approx(0.5, abs=0.1)
    assert -1 <= drawn.min() < -0.8 and 1.7 < drawn.max() <= 2
    assert not any(
        Augmenter(with_(pitch_semitones=(1.0, 2.0))).pitch(step, 0, 0) for step in range(20)
    )


def test_other_changes_are_drawn_as_they_were_without_a_pitch(unpaired, cache):
    """A pitch of no semitones changes nothing: it is drawn from a generator of its own, and needs
    no longer windows."""
    others = {"speed": 0.5, "equaliser": 0.7, "room": 0.5, "polarity": 0.5, "noise": 0.5}
    without, still = with_(**others), with_(**others, pitch=1.0, pitch_semitones=(0.0, 0.0))
    assert longer_window(without) == longer_window(with_(without, pitch=1.0))
    for one, two in zip(
        batches(unpaired, without, cache, 3), batches(unpaired, still, cache, 3), strict=True
    ):
        np.testing.assert_array_equal(one["mixture"], two["mixture"])
        np.testing.assert_array_equal(one["sources"], two["sources"])


def test_windows_stay_full_at_another_pitch(tmp_path, cache):
    """A recording no longer than a window is used to its end, and nothing beyond it is read."""
    for name in ("train/piano/a.wav", "train/rest/b.wav"):
        (tmp_path / name).parent.mkdir(parents=True)
        soundfile.write(tmp_path / name, tone(500.0, WINDOW / RATE_HZ), RATE_HZ)
    for semitones in (-3.0, 3.0):
        config = with_(pitch=1.0, pitch_semitones=(semitones, semitones))
        sources = batches(tmp_path, config, cache, 1)[0]["sources"][:, 0, :, 0]
        loudness = np.sqrt(np.mean(sources.reshape(len(sources), 16, -1) ** 2, axis=2))
        assert np.all(loudness > 0.7 * np.median(loudness))


@pytest.mark.parametrize("only", ["all", "sources"])
def test_the_parts_of_a_song_keep_one_pitch(tmp_path, cache, only):
    """Every stem is the same tone, so the mixture of a song has one frequency at any pitch."""
    for song in ("train/one", "train/two"):
        for source in ("piano", "bass", "drums"):
            (tmp_path / song).mkdir(parents=True, exist_ok=True)
            soundfile.write(tmp_path / song / f"{source}.wav", 0.4 * tone(1000.0, 4.0), RATE_HZ)
    found = []
    for mixture in batches(tmp_path, with_(pitch=1.0, only=only), cache, 1)[0]["mixture"][..., 0]:
        spectrum = np.abs(np.fft.rfft(mixture * np.hanning(WINDOW))) ** 2
        top = int(np.argmax(spectrum))
        assert spectrum[top - 6 : top + 7].sum() > 0.99 * spectrum.sum()
        found.append(top * RATE_HZ / WINDOW)
    assert len(set(found)) > 2
    assert all(1000 * 2 ** (-3.1 / 12) < hz < 1000 * 2 ** (3.1 / 12) for hz in found)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pitch": -0.5}, "augment.pitch is -0.5; it is a probability"),
        ({"pitch_semitones": (3.0, -3.0)}, "augment.pitch_semitones is 3.0 to -3.0"),
        ({"pitch_semitones": (-13.0, 0.0)}, "at most one octave"),
    ],
)
def test_pitches_that_make_no_sense_are_refused_by_name(changes, message):
    with pytest.raises(ConfigError, match=message):
        check(with_data(preset("ssepgan", "tiny"), augment=AugmentConfig(**changes)))
