"""A checkpoint is complete or absent, checked before use, and holds finite values only."""

import json
import os

import keras
import numpy as np
import pytest

from tfsepgan.errors import CheckpointError
from tfsepgan.training.checkpoint import (
    STATE,
    restore_state,
    save_state,
    variables_of,
    write_atomically,
)


class Toy:
    """A minimal system: two variables, one optimizer, one logged mean."""

    def __init__(self, start=1.0, size=3):
        self.weight = keras.Variable(np.full(size, start, np.float32), name="weight")
        self.seed = keras.Variable(
            np.array([7, 1], np.uint32), dtype="uint32", trainable=False, name="seed"
        )
        self.metrics = [keras.metrics.Mean(name="loss")]
        optimizer = keras.optimizers.Adam()
        optimizer.build([self.weight])
        self.optimizers = {"generator": optimizer}

    @property
    def variables(self):
        return [self.weight, self.seed, *self.metrics[0].variables]


@pytest.fixture
def saved(tmp_path):
    """A folder with the checkpoint of a `Toy` whose weights are all two."""
    save_state(tmp_path, Toy(2.0), {"step": 5, "best": {"score": 1.5}})
    return tmp_path


def test_variable_names_do_not_depend_on_the_session():
    names = list(variables_of(Toy()))
    assert names == list(variables_of(Toy()))
    assert names[:2] == ["system/0000", "system/0001"]
    assert {name.partition("/")[0] for name in names} == {"system", "generator_optimizer"}


def test_a_restored_state_equals_the_saved_one(saved):
    toy = Toy()
    toy.seed.assign(np.array([0, 0], np.uint32))
    assert restore_state(saved, toy) == {"step": 5, "best": {"score": 1.5}}
    assert np.array_equal(toy.weight, [2, 2, 2])
    assert np.array_equal(toy.seed, [7, 1])


def test_a_folder_without_a_checkpoint_restores_nothing(tmp_path):
    assert restore_state(tmp_path, Toy()) is None


def test_logged_means_are_left_out(saved):
    with np.load(saved / STATE) as state:
        assert len(state.files) == 2 + len(Toy().optimizers["generator"].variables) + 1


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_finite_never_replace_good_ones(saved, bad):
    toy = Toy()
    toy.weight.assign([1, bad, 1])
    before = (saved / STATE).read_bytes()
    with pytest.raises(
        CheckpointError, match=r"stopped being finite \(system/0000 and 0 more\).*still good"
    ):
        save_state(saved, toy, {})
    assert (saved / STATE).read_bytes() == before


@pytest.mark.parametrize("broken", ["replace", "fsync"])
def test_a_full_disk_leaves_the_old_state(saved, monkeypatch, broken):
    before = (saved / STATE).read_bytes()

    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, broken, refuse)
    with pytest.raises(
        CheckpointError, match="No space left on device.*what was there before is unchanged"
    ):
        save_state(saved, Toy(3.0), {})
    assert (saved / STATE).read_bytes() == before
    assert os.listdir(saved) == [STATE]


def test_an_error_while_writing_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write(file):
        file.write(b"ne")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_atomically(path, write)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_that_cannot_be_created_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="Could not write .*file/below"):
        write_atomically(tmp_path / "file" / "below", lambda file: None)


@pytest.mark.parametrize("damage", ["noise", "cut", "empty", "array", "flipped", "foreign"])
def test_a_damaged_state_is_an_error_that_names_the_file(saved, damage):
    path = saved / STATE
    good = path.read_bytes()
    if damage == "array":
        with open(path, "wb") as file:
            np.save(file, np.zeros(3))
    elif damage == "foreign":
        np.savez(path, a=np.zeros(3))
    else:
        middle = len(good) // 2
        flipped = (
            good[:middle]
            + bytes(255 - byte for byte in good[middle : middle + 40])
            + good[middle + 40 :]
        )
        contents = {"noise": b"no archive", "cut": good[:-100], "empty": b"", "flipped": flipped}
        path.write_bytes(contents[damage])
    with pytest.raises(CheckpointError, match=f"{STATE} (is damaged|does not fit)"):
        restore_state(saved, Toy())


def test_a_pickle_in_a_state_is_not_loaded(saved, tmp_path):
    trap = tmp_path / "trap"

    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(trap),))

    progress = np.frombuffer(json.dumps({}).encode(), np.uint8)
    np.savez(saved / STATE, progress=progress, **{"system/0000": np.array([Trap()], dtype=object)})
    with pytest.raises(CheckpointError, match="is damaged"):
        restore_state(saved, Toy())
    assert not trap.exists()


def test_the_state_of_another_network_is_refused_and_changes_nothing(saved):
    toy = Toy(1.0, size=4)
    with pytest.raises(
        CheckpointError, match=r"does not fit this system: \d of \d variables differ, .* first"
    ):
        restore_state(saved, toy)
    assert np.array_equal(toy.weight, np.ones(4))
