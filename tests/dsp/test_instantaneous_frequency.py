"""Log magnitude and instantaneous frequency are invertible, and constant for a tone."""

import numpy as np
import pytest

from tfsepgan.dsp.instantaneous_frequency import (
    MAGNITUDE_FLOOR,
    POWER_FLOOR,
    forward,
    inverse,
    phase_advance,
    short_time_spectrum,
    turn_of_bin_centres,
    waveform_of,
)
from tfsepgan.errors import ShapeError

SHAPES = [(16, 8), (64, 16), (256, 32), (1024, 256), (96, 32)]  # frame, hop


def noise(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def tone(turns_a_sample, time, amplitude=1.0):
    return amplitude * np.cos(2 * np.pi * turns_a_sample * np.arange(time) + 0.3)


def snr_db(sound, again):
    return 10 * np.log10(np.sum(sound**2) / np.sum((again - sound) ** 2))


@pytest.fixture(scope="module")
def music():
    """Return ten seconds of each packaged test recording, `[time]`."""
    from tfsepgan.audio.decoding import decode
    from tfsepgan.data.recordings.demo import demo_directory

    files = sorted((demo_directory() / "test").rglob("*.ogg"))
    return [decode(path, 16000)[:160000, 0].astype(np.float64) for path in files]


@pytest.mark.parametrize(("frame", "hop"), SHAPES)
@pytest.mark.parametrize("time", [1, 500, 1024])
def test_the_spectrum_is_numpys_and_its_inverse_is_the_sound(frame, hop, time):
    sound = noise(time)
    spectrum = short_time_spectrum(sound, frame=frame, hop=hop)
    assert spectrum.shape == (-(-time // hop) + frame // hop - 1, frame // 2 + 1)
    window = np.sin(np.pi * np.arange(frame) / frame)
    padded = np.pad(sound, (frame - hop, 2 * frame))
    index = len(spectrum) // 2
    waves = np.exp(-2j * np.pi * np.outer(np.arange(frame // 2 + 1), np.arange(frame)) / frame)
    np.testing.assert_allclose(
        spectrum[index],
        waves @ (window * padded[index * hop : index * hop + frame]),
        atol=1e-9 * frame,
    )
    np.testing.assert_allclose(
        waveform_of(spectrum, frame=frame, hop=hop, time=time), sound, atol=1e-12
    )


@pytest.mark.parametrize(("frame", "hop"), SHAPES)
@pytest.mark.parametrize("shape", [(777,), (2, 3, 500)])
def test_the_inverse_returns_the_waveform(frame, hop, shape):
    sound = noise(*shape)
    log_magnitude, frequency = forward(sound, frame=frame, hop=hop)
    assert log_magnitude.shape == frequency.shape
    assert log_magnitude.shape[:-2] == shape[:-1]
    assert np.isrealobj(frequency)
    assert np.abs(frequency).max() <= 1 + 1e-9
    again = inverse(log_magnitude, frequency, frame=frame, hop=hop, time=shape[-1])
    np.testing.assert_allclose(again, sound, atol=1e-9)


def test_the_inverse_returns_silence_for_silence():
    log_magnitude, frequency = forward(np.zeros(3000))
    assert np.all(log_magnitude == np.log(MAGNITUDE_FLOOR))
    assert not frequency.any()
    np.testing.assert_allclose(inverse(log_magnitude, frequency), 0, atol=1e-12)


def test_real_music_is_inverted_with_200_db_and_100_db_in_single_precision(
    music,
):
    for sound in music:
        parts = forward(sound)
        assert snr_db(sound, inverse(*parts, time=len(sound))) > 200
        single = [part.astype(np.float32) for part in parts]
        assert snr_db(sound, inverse(*single, time=len(sound))) > 100


def test_the_phase_of_music_matters(music):
    # The same magnitude with every frequency in its bin's middle is another sound, so the figure
    # above is not trivial.
    log_magnitude, frequency = forward(music[0])
    middle = np.broadcast_to(2 * (np.arange(513) * 256 % 1024) / 1024, frequency.shape)
    assert snr_db(music[0], inverse(log_magnitude, middle, time=len(music[0]))) < 5


@pytest.mark.parametrize("offset", [0.0, 0.2, -0.37])
def test_a_tone_has_constant_loudness_and_frequency(offset):
    frame, hop, bin_of_tone = 1024, 256, 97
    turns = (bin_of_tone + offset) / frame
    log_magnitude, frequency = forward(tone(turns, 20 * frame), frame=frame, hop=hop)
    inner = slice(frame // hop, -frame // hop)
    expected = 2 * turns * hop  # half turns per hop
    expected = (expected + 1) % 2 - 1
    np.testing.assert_allclose(frequency[inner, bin_of_tone], expected, atol=1e-4)
    assert np.ptp(log_magnitude[inner, bin_of_tone]) < 1e-3


def test_the_frequency_is_the_unwrapped_phase_differenced():
    sound = noise(5000)
    frame, hop = 256, 64
    _, frequency = forward(sound, frame=frame, hop=hop)
    phase = np.angle(short_time_spectrum(sound, frame=frame, hop=hop))
    unwrapped = np.pi * np.cumsum(frequency, axis=0)
    np.testing.assert_allclose(np.exp(1j * unwrapped), np.exp(1j * phase), atol=1e-9)
    steps = np.abs(np.diff(unwrapped, axis=0))
    assert steps.max() <= np.pi + 1e-9  # always the shorter way round
    assert steps.max() > 3
    np.testing.assert_allclose(frequency[0], phase[0] / np.pi, atol=1e-12)


@pytest.mark.parametrize("turn", [0.0, 0.1, -0.25, 0.4])
def test_the_advance_of_a_tone_is_a_point_on_the_circle_at_its_distance_from_the_bins_middle(turn):
    frame, hop, bin_of_tone = 256, 32, 41  # an eighth of a frame: bins' middles turn by eighths
    sound = tone(bin_of_tone / frame + turn / hop, 30 * frame)
    advance = phase_advance(short_time_spectrum(sound, frame=frame, hop=hop), frame=frame, hop=hop)
    inner = slice(frame // hop, -frame // hop)
    np.testing.assert_allclose(
        advance[inner, bin_of_tone], np.exp(2j * np.pi * turn), atol=0.02 if turn == 0.4 else 2e-3
    )


def test_the_advance_is_the_frequency_minus_that_of_the_bins_middle():
    frame, hop = 256, 64
    sound = noise(4000)
    spectrum = short_time_spectrum(sound, frame=frame, hop=hop)
    _, frequency = forward(sound, frame=frame, hop=hop)
    advance = phase_advance(spectrum, frame=frame, hop=hop)
    loud = np.minimum(np.abs(spectrum[1:]), np.abs(spectrum[:-1])) > 100 * np.sqrt(POWER_FLOOR)
    middle = np.pi * np.arange(frame // 2 + 1) * hop * 2 / frame
    expected = np.exp(1j * (np.pi * frequency - middle))[1:]
    assert loud.mean() > 0.8
    np.testing.assert_allclose(advance[1:][loud], expected[loud], atol=2e-4)


def test_the_advance_is_within_the_circle_and_fades_into_silence():
    sound = noise(4000)
    for level, low, high in ((1.0, 0.9, 1.0), (1e-3, 1e-3, 0.99), (1e-7, 0.0, 1e-6)):
        radius = np.abs(phase_advance(short_time_spectrum(level * sound)))
        assert radius.max() <= 1
        assert low <= np.median(radius[4:-4]) <= high
    assert not phase_advance(short_time_spectrum(sound))[0].any()


def test_the_middles_of_bins_turn_by_whole_quarters_for_a_quarter_of_a_frame():
    cosine, sine = turn_of_bin_centres(9, frame=16, hop=4)
    np.testing.assert_allclose(cosine, [1, 0, -1, 0, 1, 0, -1, 0, 1], atol=1e-15)
    np.testing.assert_allclose(sine, [0, 1, 0, -1, 0, 1, 0, -1, 0], atol=1e-15)


@pytest.mark.parametrize(("frame", "hop"), [(100, 30), (64, 64), (64, 0), (63, 21)])
def test_frames_that_do_not_add_up_are_refused(frame, hop):
    with pytest.raises(ShapeError, match=f"frame is {frame} and hop {hop}"):
        forward(noise(500), frame=frame, hop=hop)


@pytest.mark.parametrize("shape", [(3, 513), (10, 512)])
def test_a_spectrum_of_another_frame_is_refused(shape):
    with pytest.raises(ShapeError, match="at least 4 frames of 513 bins"):
        waveform_of(np.zeros(shape, complex))


def test_inputs_are_not_changed():
    sound = noise(3000)
    kept = sound.copy()
    parts = forward(sound)
    copies = [part.copy() for part in parts]
    inverse(*parts)
    phase_advance(short_time_spectrum(sound))
    assert np.array_equal(sound, kept)
    assert all(np.array_equal(one, copy) for one, copy in zip(parts, copies, strict=True))
