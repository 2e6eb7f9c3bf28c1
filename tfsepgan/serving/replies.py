"""Whether what a server sent is the answer to what it was asked: complete, of the right shape,
finite, and of this mixture.

The last is told by the residual: the stems of a block sum to it. A reply that was cut, mixed up or
altered on the way does not, and is asked for again; it never reaches a file.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from tfsepgan.serving.retry import BAD_REPLY, Refused

RESIDUAL = "residual"
ROUNDING = 1e-5  # of peak: what sums of a few float32 numbers may differ by, a hundred times over


def checked_stems(
    mixture: np.ndarray, reply: Mapping[str, np.ndarray], sources: Sequence[str]
) -> np.ndarray:
    """The estimates in a reply, or `Refused`.

    Args:
      mixture: `[batch, time, 1]` float32, as it was sent.
      reply: arrays by name, whatever came.
      sources: names of the estimates wanted, in order.
    Returns: `[batch, sources, time, 1]` float32.
    """
    stems = []
    for name in (*sources, RESIDUAL):
        stem = reply.get(name)
        if stem is None:
            raise Refused(
                BAD_REPLY,
                f"the reply lacks {name!r}; it has {', '.join(sorted(reply)) or 'nothing'}",
            )
        if stem.shape != mixture.shape or stem.dtype != np.float32:
            raise Refused(
                BAD_REPLY,
                f"{name!r} came as {stem.dtype} {stem.shape}; wanted float32 {mixture.shape},"
                " shaped as was sent",
            )
        if not np.isfinite(stem).all():
            raise Refused(BAD_REPLY, f"{name!r} holds values that are not finite")
        stems.append(stem)
    peak = max(1e-3, *(float(np.abs(one).max()) for one in (mixture, *stems)))
    difference = float(np.abs(sum(stems[1:], start=stems[0]) - mixture).max())
    if difference > ROUNDING * peak:
        raise Refused(
            BAD_REPLY,
            f"the stems differ from the mixture by {difference:.1e} in sum: they are of something"
            " else",
        )
    return np.stack(stems[:-1], axis=1)
