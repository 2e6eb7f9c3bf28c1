"""The description of a served model, the reply of its signature `describe`, checked on arrival."""

import json
from dataclasses import dataclass

import msgspec

from tfsepgan.errors import ServingError
from tfsepgan.models.folders import AtLeastOne, Manifest
from tfsepgan.serving.retry import BadReply

MOST_BYTES = 1 << 24  # of a description


@dataclass(frozen=True, kw_only=True)
class _Limits:
    max_request_samples: AtLeastOne


@dataclass(frozen=True, kw_only=True)
class Description(Manifest):
    """A served model: its manifest, and the limits of a request."""

    limits: _Limits


def read_description(text: str | bytes, *, server: str) -> Description:
    """Read the JSON of a description.

    Args:
      text: the reply of `describe`.
      server: its name, for the error.
    Raises: Refused when it is not JSON, so that a reply that was cut short is requested again;
      ServingError when it does not describe a tfsepgan model.
    """
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadReply(f"the description is not JSON: {error}") from error
    try:
        if len(text) > MOST_BYTES:
            raise ValueError(f"it is {len(text)} bytes long")
        return msgspec.json.decode(text, type=Description)
    except (ValueError, RecursionError) as error:
        raise ServingError(
            f"{server} sent a description that cannot be used: {str(error)[:200]}."
            " Export the model again, with this version of tfsepgan."
        ) from error
