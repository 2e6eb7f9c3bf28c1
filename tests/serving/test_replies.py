"""Replies and descriptions are checked; unusable ones are refused."""

import json

import numpy as np
import pytest

from tfsepgan.errors import ServingError
from tfsepgan.serving.description import read_description
from tfsepgan.serving.replies import checked_stems
from tfsepgan.serving.retry import BAD_REPLY, Refused

MIXTURE = np.random.default_rng(0).uniform(-1, 1, (2, 50, 1)).astype(np.float32)
GOOD = {"piano": 0.5 * MIXTURE, "residual": MIXTURE - 0.5 * MIXTURE}
WRONG = {
    "lacks 'piano'": {"residual": MIXTURE},
    "lacks 'residual'": {"piano": MIXTURE},
    "float32 (2, 49, 1); wanted": {**GOOD, "piano": GOOD["piano"][:, 1:]},
    "float64": {**GOOD, "piano": GOOD["piano"].astype(np.float64)},
    "not finite": {**GOOD, "piano": np.where(MIXTURE > 0.9, np.float32("nan"), GOOD["piano"])},
    "to another mixture": {**GOOD, "piano": GOOD["piano"] + np.float32(1e-4)},
}


def test_a_complete_reply_is_accepted():
    np.testing.assert_array_equal(checked_stems(MIXTURE, GOOD, ("piano",)), GOOD["piano"][:, None])


@pytest.mark.parametrize("words", WRONG)
def test_an_unusable_reply_is_refused(words):
    with pytest.raises(Refused) as caught:
        checked_stems(MIXTURE, WRONG[words], ("piano",))
    assert caught.value.code == BAD_REPLY and caught.value.passing
    assert words in str(caught.value)


DESCRIPTION = {
    "name": "small",
    "system": "ssepgan",
    "network_settings": {},
    "sample_rate_hz": 8000,
    "sources": ["piano"],
    "hop": 64,
    "context": 100,
    "parameters": 1,
    "limits": {"max_request_samples": 9999},
    "from_the_future": 1,
}


def test_a_description_is_read():
    read = read_description(json.dumps(DESCRIPTION), server="it")
    assert (read.sources, read.hop) == (("piano",), 64)
    assert read.limits.max_request_samples == 9999


@pytest.mark.parametrize(
    "change",
    [
        {"hop": 0},
        {"hop": "64"},
        {"context": -1},
        {"sources": []},
        {"sources": [1]},
        {"limits": {}},
        {"limits": {"max_request_samples": 0}},
        {"sample_rate_hz": None},
        {"name": None},
    ],
)
def test_a_description_with_a_wrong_value_is_refused(change):
    with pytest.raises(ServingError, match="it sent a description that cannot be used"):
        read_description(json.dumps({**DESCRIPTION, **change}), server="it")


@pytest.mark.parametrize("text", ["[]", "null"])
def test_a_description_other_than_a_json_object_is_refused(text):
    with pytest.raises(ServingError, match="cannot be used"):
        read_description(text, server="it")


@pytest.mark.parametrize("text", ["", "{", b'{"name": "sma', b"\xff", "[" * 100_000])
def test_a_description_that_was_cut_short_is_requested_again(text):
    with pytest.raises(Refused) as caught:
        read_description(text, server="it")
    assert caught.value.passing
