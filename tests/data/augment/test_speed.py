"""Speed: pitch and length of windows, also of those of a song."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile
from augment_for_tests import CONFIG, RATE_HZ, WINDOW, batches, changed, tone, with_

from tfsepgan.data.augment.augmenter import Augmenter, longer_window


@pytest.mark.parametrize("semitones", [-4.0, 3.0])
def test_speed_moves_pitch_by_so_many_semitones(semitones):
    samples = tone(500.0)
    after = changed(samples, speed=2.0 ** (semitones / 12))
    assert len(after) == WINDOW
    spectrum = np.abs(np.fft.rfft(after * np.hanning(WINDOW)))
    assert np.argmax(spectrum) * RATE_HZ / WINDOW == pytest.approx(
        500 * 2.0 ** (semitones / 12), abs=2.0
    )


def test_speed_keeps_to_its_range_and_windows_are_long_enough_to_fill():
    config = with_(speed=1.0, speed_semitones=(-3.0, 5.0))
    augmenter = Augmenter(config)
    speeds = [augmenter.speed(np.random.default_rng(k)) for k in range(300)]
    assert 2.0 ** (-3 / 12) <= min(speeds) < 0.87 and 1.3 < max(speeds) <= 2.0 ** (5 / 12)
    read = np.ones(longer_window(config), np.float32)
    for speed in (min(speeds), 1.0, max(speeds)):
        after = augmenter.changed(read, np.random.default_rng(0), speed)
        assert len(after) == WINDOW
        np.testing.assert_allclose(after[200:-200], 1.0, atol=1e-3)
    assert longer_window(CONFIG) == WINDOW
    assert np.mean(
        [Augmenter(with_(speed=0.5)).speed(np.random.default_rng(k)) == 1.0 for k in range(400)]
    ) == pytest.approx(0.5, abs=0.1)


def test_windows_that_may_play_faster_are_the_same_windows_read_on(tmp_path, cache):
    """A recording as long as a window, but not as what is read for a fast one, gives no silence
    that it does not hold."""
    for name in ("train/piano/a.wav", "train/rest/b.wav"):
        (tmp_path / name).parent.mkdir(parents=True)
        soundfile.write(tmp_path / name, np.full(WINDOW + 100, 0.25), RATE_HZ)
    config = replace(with_(speed=1.0, speed_semitones=(0.0, 0.0)), batch=16)
    assert longer_window(with_(speed=1.0)) > WINDOW + 100
    for speed_semitones in ((0.0, 0.0), (-4.0, 4.0)):
        ones = batches(
            tmp_path,
            replace(config, augment=replace(config.augment, speed_semitones=speed_semitones)),
            cache,
            4,
        )
        silent = np.mean([np.abs(batch["sources"]) < 1e-3 for batch in ones])
        # a faster one ends early
        assert silent == 0 if speed_semitones[1] == 0 else 0 < silent < 0.15
        assert all(np.all(np.abs(batch["sources"][..., :2000, :]) > 1e-3) for batch in ones)


def test_the_parts_of_a_song_keep_one_speed(tmp_path, cache):
    """Every stem is the same tone, so the mixture of a song has one frequency at any speed."""
    for song in ("train/one", "train/two"):
        for source in ("piano", "bass", "drums"):
            (tmp_path / song).mkdir(parents=True, exist_ok=True)
            soundfile.write(tmp_path / song / f"{source}.wav", 0.2 * tone(1000.0, 4.0), RATE_HZ)
    for only in ("all", "sources"):
        batch = batches(tmp_path, with_(speed=1.0, only=only), cache, 1)[0]
        found = []
        for mixture in batch["mixture"][..., 0]:
            spectrum = np.abs(np.fft.rfft(mixture * np.hanning(WINDOW))) ** 2
            top = int(np.argmax(spectrum))
            assert spectrum[top - 4 : top + 5].sum() > 0.999 * spectrum.sum()
            found.append(top)
        assert len(set(found)) > 1
