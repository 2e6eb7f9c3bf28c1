"""Fixtures of the tests of models."""

import shutil

import pytest
from networks_for_tests import generator_kind, generators  # noqa: F401


@pytest.fixture
def model(saved, tmp_path):
    """A copy of the folder of a valid model, `saved` in the test's module; tests may change it."""
    return shutil.copytree(saved, tmp_path / "model")
