"""Recordings of any length, rate and channel count through a served model, equal to one pass of it.

with connect("localhost:8500", "piano") as separator:
    stems = separator.separate(mixture, 44100)     # as with `tfsepgan.load`

The recording is cut here and put together here, as `separation.separator` does it; only the network
is elsewhere. Several blocks are on their way at a time.
"""

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from tfsepgan.errors import ConfigError, ServingError
from tfsepgan.separation.engine import CHANNELS_PER_PASS, BlockSeparator
from tfsepgan.separation.separator import BLOCK_SECONDS, Separator
from tfsepgan.serving import grpc_client, rest_client
from tfsepgan.serving.description import Description, complete, read_description
from tfsepgan.serving.replies import checked_stems
from tfsepgan.serving.retry import Patience, patiently

MAX_MESSAGE_BYTES = 64 * 2**20  # proxies before a server take less than its own 2 GiB
PARALLEL = 4  # keeps two cores busy while two blocks travel


def connect(
    server: str,
    model: str,
    *,
    rest: bool = False,
    secure: bool = False,
    block_seconds: float = BLOCK_SECONDS,
    parallel: int = PARALLEL,
    max_message_bytes: int = MAX_MESSAGE_BYTES,
    patience: Patience | None = None,
) -> "RemoteSeparator":
    """A separator whose network runs on a server.

    Args:
      server: HOST:PORT, of the gRPC or the REST interface.
      model: its name on the server.
      rest: speak REST; slower, and needs no tensorflow-serving-api.
      secure: encrypt by TLS.
      block_seconds: new output per request; less where a request or message would become too large.
      parallel: requests that are on their way at a time.
      max_message_bytes: no request or reply is larger.
      patience: how long to go on when the server does not answer.
    Raises: ServingError when the server does not answer or holds no tfsepgan model of that name;
      ConfigError.
    """
    host, _, port = server.rpartition(":")
    if not host or "/" in host or not port.isdigit():
        raise ConfigError(f"got {server!r} as the server; wanted HOST:PORT, such as localhost:8500")
    if parallel < 1:
        raise ConfigError(f"got parallel={parallel}; wanted at least one request at a time")
    kind = rest_client if rest else grpc_client
    client = (rest_client.RestClient if rest else grpc_client.GrpcClient)(
        server, model, max_message_bytes=max_message_bytes, secure=secure
    )
    try:
        patience = patience or Patience()
        told = patiently(
            lambda seconds: complete(client.describe(seconds)), patience, server=client.name
        )
        description = read_description(told, server=client.name)
        most = _samples_per_request(description, max_message_bytes, kind)
        return RemoteSeparator(client, description, most, block_seconds, parallel, patience)
    except BaseException:
        client.close()
        raise


class RemoteSeparator(Separator):
    """A `Separator` whose network is asked over a wire; made by `connect`, closed by `with` or
    `close`."""

    def __init__(
        self,
        client,
        description: Description,
        most: int,
        block_seconds: float,
        parallel: int,
        patience: Patience,
    ):
        """
        Args:
          client: of `grpc_client` or `rest_client`.
          description: of the model.
          most: samples of a channel that a request may hold.
          block_seconds, parallel, patience: see `connect`.
        """
        super().__init__(_RemoteModel(client, description, patience), block_seconds=block_seconds)
        self.block = _fitting(self.block, most, description)
        self._client, self._parallel = client, parallel
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="tfsepgan-serving")

    def close(self) -> None:
        """Let the server go; requests that nobody waits for are given up."""
        self._client.close()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> "RemoteSeparator":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _open_engine(self, channels: int) -> BlockSeparator:
        return super()._open_engine(
            channels, ParallelBlocks, pool=self._pool, parallel=self._parallel
        )


class ParallelBlocks(BlockSeparator):
    """Cuts as `BlockSeparator` does, and has several blocks separated at a time; they come back in
    order."""

    def __init__(self, *arguments, pool: ThreadPoolExecutor, parallel: int, **named):
        """
        Args:
          pool: that the network is called in.
          parallel: blocks that are under way before `push` waits for one.
        """
        super().__init__(*arguments, **named)
        self._pool, self._parallel = pool, parallel
        self._under_way: list[_Later] = []

    def push(self, samples: np.ndarray) -> list[np.ndarray]:
        """See `BlockSeparator.push`; waits while too many blocks are under way."""
        self._under_way += super().push(samples)
        return self._ready(waiting=self._parallel)

    def finish(self) -> list[np.ndarray]:
        """See `BlockSeparator.finish`."""
        self._under_way += super().finish()
        return self._ready(waiting=0)

    def _estimate(self, chunk: np.ndarray) -> "_Later":
        return _Later(self._pool.submit(super()._estimate, chunk))

    def _ready(self, *, waiting: int) -> list[np.ndarray]:
        """Blocks from the front: those that are done, and those that must be waited for so that few
        are under way."""
        ready = []
        try:
            while self._under_way and (self._under_way[0].done or len(self._under_way) > waiting):
                ready.append(self._under_way[0].result())
                del self._under_way[0]
        except BaseException:
            for later in self._under_way:
                later.cancel()
            raise
        return ready


class _Later:
    """An estimate that is under way, and the part of it that is wanted."""

    def __init__(self, future: Future, part=()):
        self._future, self._part = future, part

    def __getitem__(self, part) -> "_Later":
        return _Later(self._future, part)

    @property
    def done(self) -> bool:
        return self._future.done()

    def result(self) -> np.ndarray:
        return self._future.result()[self._part]

    def cancel(self) -> None:
        self._future.cancel()


class _RemoteModel:
    """What `Separator` takes: a manifest, and something that separates `[batch, time, 1]`."""

    def __init__(self, client, description: Description, patience: Patience):
        self.manifest, self.generator = description.manifest, self
        self._client, self._patience = client, patience

    def separate(self, mixture: np.ndarray) -> np.ndarray:
        """`[batch, time, 1]` to `[batch, sources, time, 1]` by the server. Raises: ServingError."""
        sources = self.manifest.sources
        return patiently(
            lambda seconds: checked_stems(
                mixture, self._client.separate(mixture, seconds), sources
            ),
            self._patience,
            server=self._client.name,
        )


def _samples_per_request(description: Description, max_message_bytes: int, kind) -> int:
    """Samples of a channel that fit a request and its reply, with as many channels as go in one."""
    stems = len(description.manifest.sources) + 1
    by_message = int((max_message_bytes - kind.OVERHEAD_BYTES) / (kind.BYTES_PER_SAMPLE * stems))
    return min(description.max_request_samples, by_message) // CHANNELS_PER_PASS


def _fitting(block: int, most: int, description: Description) -> int:
    """A block's length, made shorter if it and its context would not fit a request. Raises:
    ServingError if none fits."""
    hop, context = description.manifest.hop, description.manifest.context
    around = 2 * -(-context // hop) * hop
    room = (most - around) // hop * hop
    if room < hop:
        raise ServingError(
            f"a request may hold {most} samples of a channel, and this model needs {around + hop}"
            f" to give {hop} new ones: raise max_message_bytes, or export it with a larger"
            " max_request_seconds"
        )
    return min(block, room)
