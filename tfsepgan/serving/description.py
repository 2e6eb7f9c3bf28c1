"""The description of a served model, the reply of its signature `describe`, checked on arrival."""

import json
from dataclasses import dataclass, fields

from tfsepgan.errors import ServingError
from tfsepgan.models.folders import Manifest
from tfsepgan.serving.retry import BAD_REPLY, Refused

_NEEDED = {
    "name": str,
    "system": str,
    "sample_rate_hz": int,
    "sources": list,
    "hop": int,
    "context": int,
    "limits": dict,
}
MOST_BYTES = 1 << 24  # of a description


@dataclass(frozen=True, kw_only=True)
class Description:
    """A served model: its manifest, and the largest number of samples in a request."""

    manifest: Manifest
    max_request_samples: int


def complete(text: str | bytes) -> str | bytes:
    """The text itself, if it is JSON.

    Raises: Refused when it is not, so that a reply that was cut short is requested again.
    """
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused(BAD_REPLY, f"the description is not JSON: {error}") from error
    return text


def read_description(text: str | bytes, *, server: str) -> Description:
    """Read the JSON of a description.

    Args:
      text: the reply of `describe`.
      server: its name, for the error.
    Raises: ServingError when it does not describe a tfsepgan model.
    """
    try:
        if len(text) > MOST_BYTES:
            raise ValueError(f"it is {len(text)} bytes long")
        values = json.loads(text)
        wrong = [name for name, kind in _NEEDED.items() if not isinstance(values.get(name), kind)]
        most = values["limits"]["max_request_samples"] if not wrong else 0
        wrong += [
            name for name in ("sample_rate_hz", "hop") if name not in wrong and values[name] < 1
        ]
        if wrong or values["context"] < 0 or not isinstance(most, int) or most < 1:
            raise ValueError(f"check {', '.join(wrong) or 'context and limits'}")
        if not values["sources"] or not all(isinstance(one, str) for one in values["sources"]):
            raise ValueError("it names no sources")
        known = {one.name for one in fields(Manifest)}
        kept = {name: value for name, value in values.items() if name in known}
        return Description(
            manifest=Manifest(**{**kept, "sources": tuple(kept["sources"])}),
            max_request_samples=most,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ServingError(
            f"{server} sent a description that cannot be used: {str(error)[:200]}."
            " Export the model again, with this version of tfsepgan."
        ) from error
