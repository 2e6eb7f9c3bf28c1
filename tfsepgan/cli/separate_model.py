"""The model of `tfsepgan-separate`: on this machine or on a server, opened here or in a worker."""

import hashlib
import json
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tfsepgan.cli.separate_options import SeparateOptions
from tfsepgan.quiet import quiet_tensorflow

if TYPE_CHECKING:
    from tfsepgan.separation.refinement import Refining


class Facts(NamedTuple):
    """The facts about a model that a job needs before any work."""

    sources: tuple[str, ...]
    digest: str


@dataclass(frozen=True, kw_only=True)
class LocalModel:
    """A model in a folder."""

    folder: Path
    runtime: str
    block_seconds: float | None
    refining: "Refining"

    def facts(self) -> Facts:
        """Read the manifest, not the weights."""
        from tfsepgan.models.digests import model_digest
        from tfsepgan.models.folders import read_manifest

        return Facts(read_manifest(self.folder).sources, model_digest(self.folder))

    def open(self) -> AbstractContextManager:
        """A separator, as a context manager."""
        if self.runtime == "tensorflow":
            quiet_tensorflow()
        from tfsepgan.separation.separator import load

        options = {"block_seconds": self.block_seconds, **asdict(self.refining)}
        return nullcontext(load(self.folder, runtime=self.runtime, **options))


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A model on a server; the fields are those of `serving.separator.connect`."""

    server: str
    model: str
    rest: bool
    options: dict[str, Any]
    deadline_seconds: float

    def facts(self) -> Facts:
        """Ask the server."""
        with self.open() as separator:
            described = json.dumps(asdict(separator.manifest), sort_keys=True, default=str)
            digest = hashlib.sha256(described.encode()).hexdigest()
            return Facts(separator.sources, digest)

    def open(self) -> AbstractContextManager:
        """A separator, which closes its connection at the end of the context."""
        if not self.rest:
            quiet_tensorflow()  # the messages of TF Serving import it
        from tfsepgan.serving.retry import Patience
        from tfsepgan.serving.separator import connect

        patience = Patience(deadline_seconds=self.deadline_seconds)
        return connect(self.server, self.model, rest=self.rest, patience=patience, **self.options)


def choose_model(options: SeparateOptions, seconds: float | None) -> LocalModel | ServedModel:
    """The model that the flags name.

    Args:
      options: the flags.
      seconds: of music, which decide the runtime; None if the recordings are not measured.
    Raises: CheckpointError when there is no such model, or the runtime cannot run it.
    """
    if options.server is not None:
        named: dict[str, Any] = {"secure": options.secure, "parallel": options.parallel}
        named |= asdict(options.refining)
        if options.block_seconds is not None:
            named["block_seconds"] = options.block_seconds
        return ServedModel(
            server=options.server,
            model=options.model,
            rest=options.rest,
            options={**named, "max_message_bytes": round(options.max_message_mib * 2**20)},
            deadline_seconds=options.deadline_seconds,
        )
    from tfsepgan.models.folders import find_bundle, read_manifest
    from tfsepgan.separation.runtimes import choose_runtime

    folder = find_bundle(options.model)
    runtime = choose_runtime(options.runtime, folder, read_manifest(folder), seconds=seconds)
    return LocalModel(
        folder=folder,
        runtime=runtime,
        block_seconds=options.block_seconds,
        refining=options.refining,
    )
