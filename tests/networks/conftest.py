"""Fixtures of the tests of networks."""

from networks_for_tests import (  # noqa: F401
    discriminator_kind,
    discriminators,
    generator_kind,
    generators,
)
