"""A miniature of each published data set."""

import pytest
from sets_for_tests import MAKERS


@pytest.fixture(scope="session")
def sets(tmp_path_factory):
    """A miniature of each set, by name, made when a test asks for it; not to be changed."""

    class Sets(dict):
        def __missing__(self, name):
            self[name] = MAKERS[name][0](tmp_path_factory.mktemp(name))
            return self[name]

    return Sets()
