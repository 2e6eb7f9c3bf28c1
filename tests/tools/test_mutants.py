"""Each mutant fits its file and names tests that exist; the runner gives its outcome."""

import ast
import subprocess
from collections import Counter
from functools import cache

import pytest
from tools_for_tests import TOOLS, from_tools

CHECKS, REPOSITORY = TOOLS / "checks", TOOLS.parent
MUTANTS = from_tools("mutants", CHECKS).MUTANTS
mutation, mutate = from_tools("mutation", CHECKS), from_tools("mutate", CHECKS)


@cache
def source_of(file):
    return (REPOSITORY / file).read_text()


@cache
def names_in(file):
    return {
        node.name for node in ast.parse(source_of(file)).body if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("file", sorted({mutant.file for mutant in MUTANTS}))
def test_every_mutant_can_be_put_into_its_file_in_one_way(file):
    """On a failure a line was changed: change the mutant's text too, or remove it with the line."""
    for mutant in MUTANTS:
        if mutant.file == file:
            assert mutant.text != mutant.replacement, mutant.name
            mutant.applied(source_of(file))  # raises with the reason


@pytest.mark.parametrize(
    "file", sorted({test.partition("::")[0] for mutant in MUTANTS for test in mutant.tests})
)
def test_every_test_that_a_mutant_names_exists(file):
    for mutant in MUTANTS:
        for test in mutant.tests:
            there, _, name = test.partition("[")[0].partition("::")
            assert there != file or not name or name in names_in(file), (
                f"{mutant.name} names {test}"
            )


def test_every_mutant_has_its_own_name_and_tests():
    assert [
        name for name, count in Counter(mutant.name for mutant in MUTANTS).items() if count > 1
    ] == []
    assert all(mutant.tests for mutant in MUTANTS)


def test_every_system_and_every_loss_has_mutants():
    files = {mutant.file for mutant in MUTANTS}
    for folder in ("systems", "losses"):
        code = {
            path
            for path in (REPOSITORY / "tfsepgan" / folder).glob("*.py")
            if path.name != "__init__.py"
        }
        without = {f"tfsepgan/{folder}/{path.name}" for path in code} - files
        assert not without, f"{without} have no mutants; see CONTRIBUTING.md"


CODE = (
    "def twice(number):\n    return number + number\n\n\ndef half(number):\n    return number / 2\n"
)
TESTS = """
from code_of_toy import half, twice

def test_twice():
    assert twice(3) == 6
"""
ENDS = {  # by outcome: a text and its replacement
    "killed": ("number + number", "number * number"),
    "survived": ("number / 2", "number / 3"),
    "timed out": ("    return number + number", "    while True:\n        pass"),
    "broken": ("number + number", "number +"),
}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """A workshop on a repository with one file, without TensorFlow."""
    folder = tmp_path_factory.mktemp("toy")
    repository = folder / "repository"
    (repository / "tests").mkdir(parents=True)
    (repository / "code_of_toy.py").write_text(CODE)
    (repository / "tests" / "test_toy.py").write_text(TESTS)
    (repository / "untracked.py").write_text("")
    subprocess.run(["git", "init", "-q"], cwd=repository, check=True)
    subprocess.run(["git", "add", "code_of_toy.py", "tests"], cwd=repository, check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(CHECKS))  # where the new process finds the runner
        yield mutation.Workshop(repository, folder / "workshop", preloaded=("pytest",))


def toy(text, replacement, file="code_of_toy.py", test="tests/test_toy.py::test_twice"):
    return mutation.Mutant("toy", file, text, replacement, (test,))


@pytest.mark.parametrize("state", sorted(ENDS))
def test_the_runner_gives_the_outcome_of_a_mutant_and_removes_it(state, workshop):
    outcome = workshop.run(toy(*ENDS[state]), limit_seconds=3.0 if state == "timed out" else 60.0)
    assert outcome.state == state, outcome
    assert outcome.dead == (state in ("killed", "timed out"))
    assert (workshop.copy / "code_of_toy.py").read_text() == CODE
    if state == "killed":
        assert outcome.by == "tests/test_toy.py::test_twice"


@pytest.mark.parametrize(
    ("mutant", "why"),
    [
        (toy("number", "x"), "the text is 5 times in code_of_toy.py"),
        (toy("nowhere", "x"), "the text is 0 times"),
        (toy("number + number", "number + other"), "NameError"),
        (toy("def twice", "def thrice"), "ImportError"),
        (toy("number + number", "number", test="tests/test_toy.py::test_gone"), "pytest gave 4"),
    ],
)
def test_a_mutant_that_no_test_ran_on_is_broken_and_not_killed(mutant, why, workshop):
    outcome = workshop.run(mutant, limit_seconds=60.0)
    assert outcome.state == "broken" and why in outcome.by, outcome


def test_only_what_git_tracks_is_copied(workshop):
    assert sorted(path.name for path in workshop.copy.rglob("*.py")) == [
        "code_of_toy.py",
        "test_toy.py",
    ]


def test_results_are_kept_for_the_same_code_and_mutant(tmp_path):
    path, one = tmp_path / "results.json", toy("a", "b")
    killed = mutation.Outcome("killed", 1.5, "tests/test_toy.py::test_twice")
    mutate.Results(path, "digest").add(one, killed)
    assert mutate.Results(path, "digest").of(one) == killed
    assert mutate.Results(path, "digest").of(toy("a", "c")) is None
    assert mutate.Results(path, "other").of(one) is None
    assert mutate.Results(path, "digest", anew=True).of(one) is None


def test_mutants_are_chosen_by_pattern():
    names = [mutant.name for mutant in mutate.chosen(["gass-*", "vanilla-sign"])]
    assert "vanilla-sign" in names and all(
        name == "vanilla-sign" or name.startswith("gass-") for name in names
    )
    with pytest.raises(SystemExit, match="No mutant is called 'nothing'"):
        mutate.chosen(["nothing"])


def test_a_tests_time_is_that_of_all_its_parameters_and_of_no_other_test():
    baseline = {
        "tests/a.py::test_x[1]": 1.0,
        "tests/a.py::test_x[2]": 2.0,
        "tests/a.py::test_xy": 4.0,
    }
    assert mutate.seconds_of(("tests/a.py::test_x",), baseline) == 3.0
    assert mutate.seconds_of(("tests/a.py",), baseline) == 7.0
