"""Fixtures of the tests of models."""

from networks_for_tests import generator_kind, generators  # noqa: F401
