"""The page in Chromium separates as NumPy does here, says what is wrong, and uploads nothing."""

import hashlib

import numpy as np
import soundfile

from tfsepgan.models.folders import find_bundle, read_manifest
from tfsepgan.separation.numpy_masker import NumpyMasker, read_weights
from tfsepgan.web.weights import rounded

RATE_HZ = 44100


def natively(mixture: np.ndarray) -> dict[str, np.ndarray]:
    """The stems that NumPy gives outside the browser, with weights in 8 bits."""
    folder = find_bundle("piano")
    weights = rounded(read_weights(folder / "model.keras"))
    masker = NumpyMasker(weights, read_manifest(folder))
    piano = masker.separate(np.ascontiguousarray(mixture.T)[..., None])[:, 0, :, 0].T
    return {"piano": piano, "residual": mixture - piano}


def largest_difference(one: np.ndarray, other: np.ndarray) -> float:
    """Relative to the peak of the second."""
    assert one.shape == other.shape
    return float(np.abs(one - other).max() / np.abs(other).max())


def test_stereo_music_gives_the_stems_that_numpy_gives_natively(visit, address, part, tmp_path):
    visit.drop(part)
    stems = visit.stems(tmp_path)
    mixture = stems["piano"] + stems["residual"]
    decoded, _ = soundfile.read(part, dtype="float32")
    assert largest_difference(mixture, decoded) < 1e-3  # two decoders of MP3
    expected, peak = natively(mixture), np.abs(mixture).max()
    for stem, samples in stems.items():
        assert np.abs(samples - expected[stem]).max() < 2e-4 * peak, stem
        assert np.abs(samples).max() > 0.2 * peak, stem
    assert visit.page.inner_text("#end") == "0:20"
    assert {method for method, _ in visit.requests} == {"GET"}
    assert all(url.startswith((address, "blob:")) for _, url in visit.requests)


def test_a_second_file_replaces_the_first_and_sums_to_its_own_samples(visit, second, tmp_path):
    written, _ = soundfile.read(second, dtype="float32")
    stems = visit.separate(second, tmp_path)
    total = stems["piano"] + stems["residual"]
    assert total.shape == written.shape
    np.testing.assert_allclose(total, written, rtol=0, atol=1e-7)
    assert largest_difference(stems["piano"], natively(written)["piano"]) < 1e-3
    assert visit.page.locator(".lane").count() == 3


def test_stems_of_whole_numbers_are_rounded_only(visit, second, tmp_path):
    stems = visit.separate(second, tmp_path)
    for kind, bits in (("wav16", 16), ("wav24", 24), ("flac16", 16), ("flac24", 24)):
        container = kind[:-2].upper()
        for stem, exact in stems.items():
            samples, rate_hz, saved = visit.save(stem, tmp_path, kind=kind)
            assert (rate_hz, saved) == (RATE_HZ, f"{container} PCM_{bits}")
            assert samples.shape == exact.shape
            assert np.abs(samples - exact).max() <= 0.51 * 2.0 ** (1 - bits)


def test_a_flac_file_is_small_and_carries_the_digest_of_its_samples(visit, second, tmp_path):
    visit.separate(second, tmp_path)
    for kind in ("wav16", "flac16"):
        visit.save("piano", tmp_path, kind=kind)
    wav, flac = tmp_path / "second - piano.wav", tmp_path / "second - piano.flac"
    assert 1000 < flac.stat().st_size < 0.8 * wav.stat().st_size
    samples, _ = soundfile.read(wav, dtype="int16")
    assert flac.read_bytes()[26:42] == hashlib.md5(samples.astype("<i2").tobytes()).digest()


def test_another_rate_is_resampled_to_that_of_the_model(visit, tmp_path):
    file = tmp_path / "tone.wav"
    time = np.arange(48000) / 48000
    soundfile.write(file, 0.5 * np.sin(2 * np.pi * 440 * time), 48000, subtype="FLOAT")
    stems = visit.separate(file, tmp_path)
    total = (stems["piano"] + stems["residual"])[:, 0]
    assert abs(len(total) - RATE_HZ) <= 1  # Chromium's resampler leaves out the last sample
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(total)) / RATE_HZ)
    inner = slice(200, -200)  # the ends ring
    assert np.abs(total - tone)[inner].max() < 1e-3


def test_cancel_clears_the_page_and_the_next_file_is_not_disturbed(visit, minute, second, tmp_path):
    before = visit.separate(second, tmp_path)
    samples, rate_hz = soundfile.read(minute, dtype="int16")
    soundfile.write(tmp_path / "long.wav", np.tile(samples, (8, 1)), rate_hz)  # time to cancel
    visit.choose(tmp_path / "long.wav")
    visit.page.wait_for_selector("#work-bar[value]")
    visit.page.click("#cancel")
    assert not visit.page.is_visible("#player") and not visit.page.is_visible("#work")
    after = visit.separate(second, tmp_path)
    np.testing.assert_array_equal(after["piano"], before["piano"])


def test_files_that_cannot_be_separated_get_one_message_each(visit, second, tmp_path):
    broken, silent = tmp_path / "broken.mp3", tmp_path / "silent.wav"
    broken.write_bytes(np.random.default_rng(0).bytes(5000))
    soundfile.write(silent, np.zeros(4410), RATE_HZ)
    visit.choose(broken)
    assert "broken.mp3 holds no sound that this browser can read" in visit.problem()
    assert visit.page.is_visible("#invitation") and not visit.page.is_visible("#player")
    visit.choose(silent)
    visit.page.get_by_text("silent.wav is silent").wait_for()
    visit.separate(second, tmp_path)
    assert not visit.page.is_visible("#problem")


def test_the_microphone_is_separated_like_a_file(visit):
    visit.page.click("#record")
    visit.page.wait_for_selector("#record[data-recording=true]")
    visit.page.wait_for_timeout(1500)
    visit.page.click("#record")
    visit.page.locator("#opened", has_text="Microphone").wait_for()
    visit.wait_until_done()
    assert "Microphone" in visit.page.inner_text("#opened")
    assert visit.page.locator(".lane").count() == 3


def test_keys_play_seek_and_choose_stems(visit, second):
    visit.choose(second)
    visit.wait_until_done()
    page = visit.page
    page.keyboard.press("1")
    page.keyboard.press("Shift+2")
    solo, mute = page.locator(".lane .solo").nth(1), page.locator(".lane .mute").nth(2)
    assert solo.get_attribute("aria-pressed") == mute.get_attribute("aria-pressed") == "true"
    page.keyboard.press("End")
    assert page.get_attribute("#timeline", "aria-valuenow") == "1.0"
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    page.wait_for_selector("#player[data-playing=true]")
    page.wait_for_selector("#player[data-playing=false]")  # the second is over
    assert page.inner_text("#now") == "0:01"


def test_every_control_has_a_name_and_the_page_fits_a_phone(visit, second):
    visit.page.set_viewport_size({"width": 360, "height": 740})
    visit.choose(second)
    visit.wait_until_done()
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 360
    position, *pictures = visit.page.evaluate(
        "[...document.querySelectorAll('#timeline, .lane .picture')]"
        ".map((one) => one.getBoundingClientRect()).map((one) => [one.left, one.right])"
    )
    assert pictures == [position] * 3  # the line stands where the sound is
    unnamed = visit.page.evaluate(
        "[...document.querySelectorAll('button, input, select, [role=slider], canvas')]"
        ".filter((one) => !one.ariaHidden)"
        ".filter((one) => !one.ariaLabel && !one.textContent.trim() && !one.labels?.length)"
        ".map((one) => one.outerHTML)"
    )
    assert unnamed == []
