"""`from_preset`, `save_to_preset`, pickles, progress and the description of a separator."""

import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

import tfsepgan
from tfsepgan.errors import CheckpointError, ConfigError, ShapeError
from tfsepgan.models.folders import find_bundle
from tfsepgan.separation.separator import Separator


@pytest.fixture
def saved(separator, tmp_path):
    separator.save_to_preset(tmp_path / "saved")
    return tmp_path / "saved"


def test_load_and_from_preset_are_one_function():
    assert tfsepgan.load == tfsepgan.Separator.from_preset


def test_a_separator_made_in_memory_is_saved_and_opens_with_the_same_stems(separator, saved, noise):
    mixture = noise(9000)
    opened = Separator.from_preset(saved)
    assert opened.sources == ("piano", "voice")
    expected = separator.separate(mixture, 8000)
    for name, stem in opened.separate(mixture, 8000).items():
        np.testing.assert_allclose(stem, expected[name], rtol=0, atol=1e-6)


def test_a_loaded_separator_is_saved_with_all_its_files(tmp_path):
    shutil.copytree(find_bundle("piano"), tmp_path / "mine")
    Separator.from_preset(tmp_path / "mine").save_to_preset(tmp_path / "copy")
    files = {path.relative_to(tmp_path / "mine") for path in (tmp_path / "mine").rglob("*")}
    copied = {path.relative_to(tmp_path / "copy") for path in (tmp_path / "copy").rglob("*")}
    assert {str(path) for path in copied - files} == {"README.md"} and not files - copied
    assert Separator.from_preset(tmp_path / "copy").runtime == "numpy"


def test_a_folder_that_holds_anything_is_not_replaced(separator, saved):
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    with pytest.raises(CheckpointError, match="saved exists and is not an empty folder"):
        separator.save_to_preset(saved)
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before


def test_a_pickle_holds_the_folder_and_loads_from_it(saved, noise):
    opened = Separator.from_preset(saved, block_seconds=0.9, runtime="tensorflow")
    content = pickle.dumps(opened)
    assert len(content) < 1000
    copy = pickle.loads(content)
    assert (copy.block, copy.folder, copy.runtime) == (opened.block, saved, "tensorflow")
    mixture = noise(5000)
    expected = opened.separate(mixture, 8000)
    np.testing.assert_array_equal(copy.separate(mixture, 8000)["piano"], expected["piano"])


def test_a_separator_in_memory_cannot_be_pickled_and_the_error_says_what_to_do(separator):
    with pytest.raises(CheckpointError, match="Write it with save_to_preset"):
        pickle.dumps(separator)


def test_the_description_names_sources_rate_channels_runtime_and_folder(separator, saved):
    assert repr(separator) == (
        "<Separator of piano, voice; 8000 Hz; 1 to 64 channels; tensorflow; in memory>"
    )
    assert repr(Separator.from_preset(saved)) == (
        f"<Separator of piano, voice; 8000 Hz; 1 to 64 channels; numpy; {saved}>"
    )


@pytest.mark.parametrize("sample_rate_hz", [8000, 44100])
def test_progress_counts_the_samples_of_the_mixture(separator, noise, sample_rate_hz):
    calls = []
    frames = 4 * separator.block + 11
    separator.separate(
        noise(frames), sample_rate_hz, progress=lambda done, total: calls.append((done, total))
    )
    done = [one for one, _ in calls]
    assert len(done) > 1 and done == sorted(set(done)) and done[-1] == frames
    assert {total for _, total in calls} == {frames}


class Cancelled(Exception):
    """Raised by a progress function."""


def cancel(done, total):
    raise Cancelled


def test_what_progress_raises_ends_the_work(separator, noise, tmp_path):
    mixture = noise(4 * separator.block)
    with pytest.raises(Cancelled):
        separator.separate(mixture, 8000, progress=cancel)
    soundfile.write(tmp_path / "song.wav", mixture, 8000)
    with pytest.raises(Cancelled):
        tfsepgan.separate_file(separator, tmp_path / "song.wav", tmp_path / "out", progress=cancel)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["song.wav"]


@pytest.mark.parametrize("rate", ["44100", None, True])
def test_a_rate_that_is_no_number_is_refused(separator, noise, rate):
    with pytest.raises(ShapeError, match=f"got a sample rate of {rate!r}"):
        separator.separate(noise(100), rate)


def test_the_path_of_a_recording_is_refused_with_the_function_for_files(separator):
    with pytest.raises(ShapeError, match=r"got the path 'song.mp3'.*tfsepgan.separate_file"):
        separator.separate("song.mp3", 44100)


@pytest.mark.parametrize("seconds", [float("inf"), "25", None])
def test_blocks_of_no_finite_length_are_refused(two_sources, seconds):
    with pytest.raises(ConfigError, match="got block_seconds="):
        Separator(two_sources, block_seconds=seconds)


PROGRAM = """
import os, signal, sys, types
from functools import partial
import numpy as np
import tfsepgan
assert not {"keras", "tensorflow"} & set(sys.modules)
import keras

folder = sys.argv[1]
mixture = np.random.default_rng(0).normal(0, 0.1, (9000, 1)).astype(np.float32)
expected = tfsepgan.load(folder, runtime="tensorflow").separate(mixture, 8000)["piano"]

# registered layers, after `import tfsepgan` alone
model = keras.saving.load_model(folder + "/model.keras")
np.testing.assert_allclose(model(mixture[None])[0, 0], expected, rtol=0, atol=1e-5)

# the user's precision
keras.config.set_floatx("float16")
keras.config.set_dtype_policy("mixed_bfloat16")
separator = tfsepgan.load(folder, runtime="tensorflow")
np.testing.assert_array_equal(separator.separate(mixture, 8000)["piano"], expected)
state = keras.config.floatx(), keras.config.dtype_policy().name
assert state == ("float16", "mixed_bfloat16"), state

# models that were dropped
def graphs():
    gc.collect()
    return sum(isinstance(one, tf.__internal__.FuncGraph) for one in gc.get_objects())

import gc
import tensorflow as tf
before = graphs()
for _ in range(2):
    dropped = tfsepgan.load(folder, runtime="tensorflow")
    dropped.separate(mixture, 8000)
    del dropped
assert graphs() == before, (graphs(), before)

# a fork
child = os.fork()
if child == 0:
    signal.alarm(60)
    failed = 0
    loading = partial(tfsepgan.load, folder, runtime="tensorflow")
    for use in (lambda: separator.separate(mixture, 8000), loading):
        try:
            use()
        except tfsepgan.TfsepganError as error:
            failed += "forked from one that used TensorFlow" in str(error)
    os._exit(0 if failed == 2 else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="processes do not fork on this system")
def test_keras_reads_the_model_and_stems_depend_on_neither_precision_nor_forks(saved):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(saved)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
