"""The files that a model server is set up with: TF Serving's own three, a compose file and a
Kubernetes manifest.

Source: "Serving configuration" of TF Serving's documentation, the flags of its `main.cc`, and the
entry point of its image. What each line is for stands beside it, and in docs/serving.md.
"""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from string import Template

from tfsepgan.errors import ConfigError, ServingError
from tfsepgan.files import write_whole
from tfsepgan.models.folders import Manifest, read_manifest

# of the TensorFlow that the models are made with; a newer one reads them too
IMAGE = "tensorflow/serving:2.16.1"
_IMAGE_NAME = re.compile(r"[a-z0-9][a-z0-9._:/@-]*")

MODELS = Template("""\
# --model_config_file: which models are served, under which names.
model_config_list {
$each}
""")
MODEL = Template("""\
  config {
    name: "$name"  # what clients ask for: tfsepgan-separate --model $name
    base_path: "/models/$name"  # holds one numbered folder for each version; a higher number is taken up by itself
    model_platform: "tensorflow"
    # Two versions stay loaded: a client finishes a recording with the version it began with.
    model_version_policy { latest { num_versions: 2 } }
  }
""")
BATCHING = """\
# --batching_parameters_file, used with --enable_batching. Off unless you turn it on: on a processor one request already keeps
# the cores busy, and on an accelerator it only helps where all requests have one length. Requests of different lengths that
# meet in a batch are refused, a bad one fails those beside it, and the signature `stream` is refused altogether.
max_batch_size { value: 8 }  # recordings (or channels) that go through the network together
batch_timeout_micros { value: 5000 }  # how long the first of them waits for others
max_enqueued_batches { value: 64 }  # beyond that the answer is RESOURCE_EXHAUSTED, and clients come back later
num_batch_threads { value: 2 }  # batches at a time
pad_variable_length_inputs: false  # zeros at the end would change what the network hears there
"""
MONITORING = """\
# --monitoring_config_file: request counts and latencies for Prometheus, on the REST port.
prometheus_config {
  enable: true
  path: "/monitoring/prometheus/metrics"
}
"""
COMPOSE = Template("""\
# docker compose up: gRPC on port 8500, REST on port 8501.
services:
  model-server:
    image: $image
    command:
      - --model_config_file=/config/models.config  # which models
      - --model_config_file_poll_wait_seconds=60  # look for changes of it once a minute
      - --monitoring_config_file=/config/monitoring.config
      - --rest_api_timeout_in_ms=120000  # a long request by REST takes more than the default of 30 s on few cores
      # - --enable_batching  # see batching_parameters.txt before you do
      # - --batching_parameters_file=/config/batching_parameters.txt
    ports:
      - "127.0.0.1:8500:8500"  # gRPC; for this machine only: TF Serving asks nobody for a password
      - "127.0.0.1:8501:8501"  # REST and metrics
    volumes:
$volumes
      - {type: bind, source: ., target: /config, read_only: true}
    restart: unless-stopped
    stop_grace_period: 30s  # requests under way are answered first
    mem_limit: $memory  # limits on requests are in the model; this one is for all of them together
    healthcheck:  # the image has no curl; bash speaks TCP
      test:
        - CMD
        - bash
        - -c
        - exec 3<>/dev/tcp/127.0.0.1/8501 && printf 'GET /v1/models/$first HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q AVAILABLE <&3
      interval: 10s
      timeout: 5s
      retries: 3
      start_period: 60s  # loading and warming up
""")
KUBERNETES = Template("""\
# kubectl apply -f kubernetes.yaml: $replicas servers behind one name. The models lie on the volume claimed as tfsepgan-models,
# as NAME/1 and so on; the configuration is the ConfigMap, which holds the same files as this folder.
apiVersion: v1
kind: ConfigMap
metadata:
  name: tfsepgan-serving
data:
  models.config: |
$models
  monitoring.config: |
$monitoring
  batching_parameters.txt: |
$batching
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: tfsepgan-serving
  labels: {app: tfsepgan-serving}
spec:
  replicas: $replicas  # any of them answers any block: nothing is remembered between requests
  selector:
    matchLabels: {app: tfsepgan-serving}
  strategy:
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}  # a new server is ready before an old one goes
  template:
    metadata:
      labels: {app: tfsepgan-serving}
      annotations:  # for a Prometheus that looks for them
        prometheus.io/scrape: "true"
        prometheus.io/port: "8501"
        prometheus.io/path: /monitoring/prometheus/metrics
    spec:
      terminationGracePeriodSeconds: 60
      securityContext: {runAsNonRoot: true, runAsUser: 65534, runAsGroup: 65534}
      containers:
        - name: model-server
          image: $image
          args:
            - --model_config_file=/config/models.config
            - --monitoring_config_file=/config/monitoring.config
            - --rest_api_timeout_in_ms=120000
          ports:
            - {name: grpc, containerPort: 8500}
            - {name: rest, containerPort: 8501}
          startupProbe:  # the ports open when the models are loaded and warmed up; up to five minutes are given
            httpGet: {path: /v1/models/$first, port: rest}
            periodSeconds: 5
            failureThreshold: 60
          readinessProbe:  # requests come only while the model answers
            httpGet: {path: /v1/models/$first, port: rest}
            periodSeconds: 5
            timeoutSeconds: 5
          livenessProbe:  # restarted when even the port is dead; never for being busy
            tcpSocket: {port: grpc}
            periodSeconds: 20
            failureThreshold: 3
          resources:
            requests: {cpu: "2", memory: 1Gi}
            limits: {memory: $kubernetes_memory}
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          volumeMounts:
            - {name: models, mountPath: /models, readOnly: true}
            - {name: config, mountPath: /config, readOnly: true}
      volumes:
        - name: models
          persistentVolumeClaim: {claimName: tfsepgan-models, readOnly: true}
        - name: config
          configMap: {name: tfsepgan-serving}
---
apiVersion: v1
kind: Service
metadata:
  name: tfsepgan-serving
spec:
  # Headless: gRPC keeps one connection for all its requests, so a balancer of connections would send them all to one server.
  clusterIP: None
  selector: {app: tfsepgan-serving}
  ports:
    - {name: grpc, port: 8500, targetPort: grpc}
    - {name: rest, port: 8501, targetPort: rest}
""")


def write_server_files(
    directory: str | os.PathLike,
    models: Sequence[str | os.PathLike],
    *,
    image: str = IMAGE,
    replicas: int = 2,
    memory_gib: int = 4,
) -> list[Path]:
    """Write what a server of some models is set up with.

    Args:
      directory: gets models.config, batching_parameters.txt, monitoring.config, docker-compose.yml
        and kubernetes.yaml; those of an earlier time are replaced.
      models: folders written by tfsepgan-export.
      image: of the server.
      replicas: servers, for Kubernetes.
      memory_gib: of one server.
    Returns: paths of the files.
    Raises: CheckpointError for a folder that is no model; ConfigError; ServingError when the disk
      refuses.
    """
    if not models:
        raise ConfigError(
            "got no models to serve; name at least one folder written by tfsepgan-export"
        )
    if not _IMAGE_NAME.fullmatch(image):
        raise ConfigError(f"got {image!r} as the image; wanted a name such as {IMAGE}")
    directory, folders = (
        Path(os.path.abspath(directory)),
        [Path(os.path.abspath(one)) for one in models],
    )
    manifests = [read_manifest(folder) for folder in folders]
    _check_names(manifests)
    values = {
        "image": image,
        "replicas": replicas,
        "memory": f"{memory_gib}g",
        "kubernetes_memory": f"{memory_gib}Gi",
    }
    values["first"] = manifests[0].name
    values["volumes"] = "\n".join(
        "      - {type: bind, source:"
        f" {json.dumps(os.path.join('.', os.path.relpath(folder, directory)))}, target:"
        f" /models/{one.name}, read_only: true}}"
        for folder, one in zip(folders, manifests, strict=True)
    )
    config = MODELS.substitute(each="".join(MODEL.substitute(name=one.name) for one in manifests))
    inside = {
        name: _indented(text)
        for name, text in (("models", config), ("monitoring", MONITORING), ("batching", BATCHING))
    }
    files = {
        "models.config": config,
        "batching_parameters.txt": BATCHING,
        "monitoring.config": MONITORING,
        "docker-compose.yml": COMPOSE.substitute(values),
        "kubernetes.yaml": KUBERNETES.substitute({**values, **inside}),
    }
    try:
        for name, text in files.items():
            write_whole(directory / name, lambda file, text=text: file.write(text.encode()))
    except OSError as error:
        raise ServingError(f"cannot write to {directory}: {error.strerror or error}") from error
    return [directory / name for name in files]


def _check_names(manifests: Sequence[Manifest]) -> None:
    """Names go into URLs and files, so they must be plain, and no two models can share one."""
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


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.splitlines())
