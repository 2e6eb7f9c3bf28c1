"""The texts of the server files that `deployment` writes, with a comment on each line.

Source: "Serving configuration" of TF Serving's documentation, the flags of its `main.cc`, and the
entry point of its image.
"""

from string import Template

MODELS = Template("""\
# --model_config_file: the models and their names.
model_config_list {
$each}
""")
MODEL = Template("""\
  config {
    name: "$name"  # for clients: tfsepgan-separate --model $name
    # Holds one numbered folder for each version; a higher number is loaded automatically.
    base_path: "/models/$name"
    model_platform: "tensorflow"
    # Two versions stay loaded: a client finishes a recording with the version it began with.
    model_version_policy { latest { num_versions: 2 } }
  }
""")
BATCHING = """\
# --batching_parameters_file, used with --enable_batching. Batching is off by default. On a
# processor one request already keeps the cores busy; on an accelerator, batching helps only if all
# requests have the same length. Requests of different lengths in one batch are refused, a bad
# request fails all others in its batch, and requests to `stream` are always refused.
max_batch_size { value: 8 }  # recordings (or channels) that the network processes together
batch_timeout_micros { value: 5000 }  # how long the first of them waits for others
max_enqueued_batches { value: 64 }  # more get RESOURCE_EXHAUSTED, and clients try again later
num_batch_threads { value: 2 }  # batches at a time
pad_variable_length_inputs: false  # zeros at the end would change the estimates there
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
      - --model_config_file=/config/models.config  # the models
      - --model_config_file_poll_wait_seconds=60  # check it for changes once a minute
      - --monitoring_config_file=/config/monitoring.config
      # With few cores, a long REST request takes more than the default of 30 s.
      - --rest_api_timeout_in_ms=120000
      # - --enable_batching  # read batching_parameters.txt first
      # - --batching_parameters_file=/config/batching_parameters.txt
    ports:
      - "127.0.0.1:8500:8500"  # gRPC; for this machine only, as TF Serving has no passwords
      - "127.0.0.1:8501:8501"  # REST and metrics
    volumes:
$volumes
      - {type: bind, source: ., target: /config, read_only: true}
    restart: unless-stopped
    stop_grace_period: 30s  # running requests are finished first
    mem_limit: $memory  # for all requests together; the model limits each request
    healthcheck:  # by bash, as the image has no curl
      test:
        - CMD
        - bash
        - -c
        - >-
          exec 3<>/dev/tcp/127.0.0.1/8501
          && printf 'GET /v1/models/$first HTTP/1.0\\r\\n\\r\\n' >&3
          && grep -q AVAILABLE <&3
      interval: 10s
      timeout: 5s
      retries: 3
      start_period: 60s  # loading and warming up
""")
KUBERNETES = Template("""\
# kubectl apply -f kubernetes.yaml: $replicas servers behind one name. The models are on the volume
# claimed as tfsepgan-models, as NAME/1 and so on. The configuration is in the ConfigMap, which
# holds the same files as this folder.
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
  replicas: $replicas  # any of them answers any block: requests share no state
  selector:
    matchLabels: {app: tfsepgan-serving}
  strategy:
    rollingUpdate: {maxUnavailable: 0, maxSurge: 1}  # a new server is ready before an old one stops
  template:
    metadata:
      labels: {app: tfsepgan-serving}
      annotations:  # for Prometheus
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
          # The ports open when the models are loaded and warmed up, within five minutes.
          startupProbe:
            httpGet: {path: /v1/models/$first, port: rest}
            periodSeconds: 5
            failureThreshold: 60
          readinessProbe:  # no requests while the model does not answer
            httpGet: {path: /v1/models/$first, port: rest}
            periodSeconds: 5
            timeoutSeconds: 5
          livenessProbe:  # restart when the port is dead, not when the server is busy
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
  # Headless: gRPC sends all requests over one connection, so a load balancer of connections would
  # send them all to one server.
  clusterIP: None
  selector: {app: tfsepgan-serving}
  ports:
    - {name: grpc, port: 8500, targetPort: grpc}
    - {name: rest, port: 8501, targetPort: rest}
""")
