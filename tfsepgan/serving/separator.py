"""Separation of recordings of any length, rate and channel count with a model on a server.

with connect("localhost:8500", "piano") as separator:
    stems = separator.separate(mixture, 44100)  # as with `tfsepgan.load`

The recording is cut into blocks and joined here, as in `separation.separator`; only the network
runs on the server. Several blocks are separated at a time. The stems equal one pass of the network.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tfsepgan.errors import ConfigError, ServingError
from tfsepgan.separation.engine import CHANNELS_PER_PASS, BlockSeparator
from tfsepgan.separation.refinement import LowRankSwitch, Stereo
from tfsepgan.separation.runtimes import LoadedModel
from tfsepgan.separation.separator import BLOCK_SECONDS, Separator
from tfsepgan.serving.description import Description, read_description
from tfsepgan.serving.grpc_client import GrpcClient
from tfsepgan.serving.replies import checked_stems
from tfsepgan.serving.rest_client import RestClient
from tfsepgan.serving.retry import Patience, patiently

MAX_MESSAGE_BYTES = 64 * 2**20  # proxies in front of a server accept less than its own 2 GiB
PARALLEL = 4  # keeps two cores busy while two blocks are being transferred


def connect(
    server: str,
    model: str,
    *,
    rest: bool = False,
    secure: bool = False,
    block_seconds: float = BLOCK_SECONDS,
    stereo: Stereo = "together",
    low_rank: LowRankSwitch = "auto",
    parallel: int = PARALLEL,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
    patience: Patience | None = None,
) -> "RemoteSeparator":
    """A separator whose network runs on a server.

    Args:
      server: HOST:PORT of the gRPC or the REST interface.
      model: its name on the server.
      rest: True uses REST, which is slower but does not need tensorflow-serving-api.
      secure: True encrypts by TLS.
      block_seconds: new output per request; less where a request or message would become too large.
      stereo, low_rank: see `Separator`.
      parallel: number of requests at a time.
      max_message_bytes: the largest request or reply.
      patience: limits of time and attempts when the server does not answer.
    Raises: ServingError when the server does not answer or has no tfsepgan model of this name;
      ConfigError for an impossible `server` or `parallel`.
    """
    host, _, port = server.rpartition(":")
    if not host or "/" in host or not port.isdigit():
        raise ConfigError(f"got {server!r} as the server; wanted HOST:PORT, such as localhost:8500")
    if parallel < 1:
        raise ConfigError(f"got parallel={parallel}; wanted at least one request at a time")
    kind = RestClient if rest else GrpcClient
    client = kind(server, model, max_message_bytes=max_message_bytes, secure=secure)
    try:
        patience = patience or Patience()
        description = patiently(
            lambda seconds: read_description(client.describe(seconds), server=client.name),
            patience,
            server=client.name,
        )
        most = _samples_per_request(description, max_message_bytes, client)
        local = {"block_seconds": block_seconds, "stereo": stereo, "low_rank": low_rank}
        return RemoteSeparator(client, description, most, parallel, patience, **local)
    except BaseException:
        client.close()
        raise


class RemoteSeparator(Separator):
    """A `Separator` with its network on a server; close it by `with` or `close`."""

    runtime = "TensorFlow Serving"

    def __init__(
        self,
        client,
        description: Description,
        most: int,
        parallel: int,
        patience: Patience,
        *,
        block_seconds: float,
        stereo: Stereo,
        low_rank: LowRankSwitch,
    ):
        """
        Args:
          client: a GrpcClient or RestClient.
          description: of the model.
          most: samples of one channel that a request may hold.
          parallel, patience, block_seconds, stereo, low_rank: see `connect`.
        """

        def separate(mixture: np.ndarray) -> np.ndarray:
            return patiently(
                lambda seconds: checked_stems(
                    mixture, client.separate(mixture, seconds), description.sources
                ),
                patience,
                server=client.name,
            )

        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="tfsepgan-serving")
        engine = partial(ParallelBlocks, pool=self._pool, parallel=parallel)
        loaded = LoadedModel(separate, description, engine)
        super().__init__(loaded, block_seconds=block_seconds, stereo=stereo, low_rank=low_rank)
        self.block = _fitting(self.block, most, description)
        self._client = client

    def close(self) -> None:
        """Close the connection and cancel requests that have not started."""
        self._client.close()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> "RemoteSeparator":
        return self

    def __exit__(self, *_) -> None:
        self.close()


class ParallelBlocks(BlockSeparator):
    """A `BlockSeparator` that separates several blocks at a time and returns them in order."""

    def __init__(self, *arguments, pool: ThreadPoolExecutor, parallel: int, **named):
        """
        Args:
          pool: threads in which the network is called.
          parallel: blocks that may be unfinished before `push` waits for one.
          arguments, named: of `BlockSeparator`.
        """
        super().__init__(*arguments, **named)
        self._pool, self._parallel = pool, parallel
        self._unfinished: list[_FutureEstimate] = []

    def push(self, samples: np.ndarray) -> list[np.ndarray]:
        """See `BlockSeparator.push`; waits while too many blocks are unfinished."""
        self._unfinished += super().push(samples)
        return self._ready(waiting=self._parallel)

    def finish(self) -> list[np.ndarray]:
        """See `BlockSeparator.finish`."""
        self._unfinished += super().finish()
        return self._ready(waiting=0)

    def _estimate(self, chunk: np.ndarray) -> "_FutureEstimate":
        return _FutureEstimate(self._pool.submit(super()._estimate, chunk))

    def _ready(self, *, waiting: int) -> list[np.ndarray]:
        """Blocks from the front: finished ones, and more until only `waiting` are unfinished."""
        ready = []
        try:
            while self._unfinished:
                first = self._unfinished[0]
                if not first.future.done() and len(self._unfinished) <= waiting:
                    break
                ready.append(first.future.result()[first.part])
                del self._unfinished[0]
        except BaseException:
            for later in self._unfinished:
                later.future.cancel()
            raise
        return ready


@dataclass(frozen=True)
class _FutureEstimate:
    """An estimate that is being computed, and the wanted part of it."""

    future: Future
    part: Any = ()

    def __getitem__(self, part) -> "_FutureEstimate":
        return _FutureEstimate(self.future, part)


def _samples_per_request(description: Description, max_message_bytes: int, client) -> int:
    """The most samples of a channel in a request, with CHANNELS_PER_PASS channels.

    Both the request and its reply must fit into a message.
    """
    stems = len(description.sources) + 1
    room = max_message_bytes - client.overhead_bytes
    by_message = int(room / (client.bytes_per_sample * stems))
    return min(description.limits.max_request_samples, by_message) // CHANNELS_PER_PASS


def _fitting(block: int, most: int, description: Description) -> int:
    """The length of a block, shortened if it does not fit into a request with its context.

    Raises: ServingError if no block fits.
    """
    hop, context = description.hop, description.context
    around = 2 * -(-context // hop) * hop
    room = (most - around) // hop * hop
    if room < hop:
        raise ServingError(
            f"a request may hold {most} samples of a channel, and this model needs {around + hop}"
            f" for {hop} new ones: raise max_message_bytes, or export it with a larger"
            " max_request_seconds"
        )
    return min(block, room)
