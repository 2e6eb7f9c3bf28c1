"""The configuration of a model server: TF Serving's three files, Docker Compose, Kubernetes.

The purpose of each line is beside it in `templates`, and in docs/serving.md.
"""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent

from tfsepgan.errors import ConfigError, ServingError
from tfsepgan.files import write_whole
from tfsepgan.models.folders import Manifest, read_manifest
from tfsepgan.serving.templates import BATCHING, COMPOSE, KUBERNETES, MODEL, MODELS, MONITORING

# the version of TensorFlow that the models are made with; newer ones load them too
IMAGE = "tensorflow/serving:2.16.1"
_IMAGE_NAME = re.compile(r"[a-z0-9][a-z0-9._:/@-]*")


def write_server_files(
    directory: str | os.PathLike,
    models: Sequence[str | os.PathLike],
    *,
    image: str = IMAGE,
    replicas: int = 2,
    memory_gib: int = 4,
) -> list[Path]:
    """Write the configuration files of a server for some models.

    Args:
      directory: for models.config, batching_parameters.txt, monitoring.config, docker-compose.yml
        and kubernetes.yaml; existing ones are replaced.
      models: folders written by tfsepgan-export.
      image: of the server.
      replicas: number of servers, for Kubernetes.
      memory_gib: of one server.
    Returns: paths of the files.
    Raises: CheckpointError for a folder that is not a model; ConfigError for an unusable name of a
      model or image, or for no models; ServingError when writing fails.
    """
    if not models:
        raise ConfigError(
            "got no models to serve; name at least one folder written by tfsepgan-export"
        )
    if not _IMAGE_NAME.fullmatch(image):
        raise ConfigError(f"got {image!r} as the image; wanted a name such as {IMAGE}")
    directory = Path(os.path.abspath(directory))
    folders = [Path(os.path.abspath(one)) for one in models]
    manifests = [read_manifest(folder) for folder in folders]
    _check_names(manifests)
    files = _files(
        manifests,
        image=image,
        replicas=replicas,
        memory=f"{memory_gib}g",
        kubernetes_memory=f"{memory_gib}Gi",
        first=manifests[0].name,
        volumes=_volumes(directory, folders, manifests),
    )
    try:
        for name, text in files.items():
            write_whole(directory / name, lambda file, text=text: file.write(text.encode()))
    except OSError as error:
        raise ServingError(f"cannot write to {directory}: {error.strerror or error}") from error
    return [directory / name for name in files]


def _files(manifests: Sequence[Manifest], **values) -> dict[str, str]:
    """The text of each file by name; `values` are those of the templates."""
    config = MODELS.substitute(each="".join(MODEL.substitute(name=one.name) for one in manifests))
    inside = {
        name: indent(text.rstrip("\n"), "    ")
        for name, text in (("models", config), ("monitoring", MONITORING), ("batching", BATCHING))
    }
    return {
        "models.config": config,
        "batching_parameters.txt": BATCHING,
        "monitoring.config": MONITORING,
        "docker-compose.yml": COMPOSE.substitute(values),
        "kubernetes.yaml": KUBERNETES.substitute({**values, **inside}),
    }


def _check_names(manifests: Sequence[Manifest]) -> None:
    """Raise ConfigError unless the names are distinct and usable in URLs and files."""
    names = [one.name for one in manifests]
    bad = [name for name in names if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name)]
    if bad:
        raise ConfigError(
            f"got {bad[0]!r} as a model's name; wanted letters, digits, '.', '_' and '-': export it"
            " again"
        )
    if len(set(names)) < len(names):
        raise ConfigError(
            f"two of the models are called {max(names, key=names.count)!r}; export one under"
            " another name"
        )


def _volumes(directory: Path, folders: Sequence[Path], manifests: Sequence[Manifest]) -> str:
    """Lines of the compose file that mount the models, relative to its folder."""
    lines = []
    for folder, manifest in zip(folders, manifests, strict=True):
        source = json.dumps(os.path.join(".", os.path.relpath(folder, directory)))
        target = f"/models/{manifest.name}"
        lines.append(f"      - {{type: bind, source: {source}, target: {target}, read_only: true}}")
    return "\n".join(lines)
