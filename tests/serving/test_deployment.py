"""The configuration files of a server are valid and name its models."""

import pytest
import yaml

from tfsepgan.errors import CheckpointError, ConfigError, ServingError
from tfsepgan.serving.deployment import write_server_files


@pytest.fixture
def files(tmp_path, bundle):
    """The files of a server for two models, by name."""
    from dataclasses import replace

    from tfsepgan.models.bundle import save_bundle

    for name in ("small", "other.model"):
        save_bundle(
            tmp_path / "models" / name, bundle.generator, replace(bundle.manifest, name=name)
        )
    folders = [tmp_path / "models" / name for name in ("small", "other.model")]
    written = write_server_files(tmp_path / "serving", folders, replicas=3, memory_gib=2)
    return {path.name: path for path in written}


def test_tf_serving_reads_its_own_files(files):
    pb2 = pytest.importorskip(
        "tensorflow_serving.config.model_server_config_pb2", reason="no tensorflow-serving-api"
    )
    from google.protobuf import text_format

    config = text_format.Parse(files["models.config"].read_text(), pb2.ModelServerConfig())
    assert [(one.name, one.base_path) for one in config.model_config_list.config] == [
        ("small", "/models/small"),
        ("other.model", "/models/other.model"),
    ]
    assert config.model_config_list.config[0].model_version_policy.latest.num_versions == 2
    assert "max_batch_size { value: 8 }" in files["batching_parameters.txt"].read_text()


def test_compose_mounts_models_where_the_server_looks_for_them(files):
    service = yaml.safe_load(files["docker-compose.yml"].read_text())["services"]["model-server"]
    mounts = {one["target"]: one for one in service["volumes"]}
    assert set(mounts) == {"/models/small", "/models/other.model", "/config"}
    folder = files["docker-compose.yml"].parent
    assert (folder / mounts["/models/small"]["source"] / "manifest.json").is_file()
    assert all(one["read_only"] and one["source"].startswith(".") for one in mounts.values())
    assert "--model_config_file=/config/models.config" in service["command"]
    assert service["healthcheck"]["test"][:3] == ["CMD", "bash", "-c"]
    assert "GET /v1/models/small HTTP/1.0\\r\\n\\r\\n" in service["healthcheck"]["test"][3]
    assert service["mem_limit"] == "2g"


def test_kubernetes_gets_the_same_files_and_health_checks(files):
    config, deployment, service = yaml.safe_load_all(files["kubernetes.yaml"].read_text())
    assert config["data"]["models.config"].strip() == files["models.config"].read_text().strip()
    assert deployment["spec"]["replicas"] == 3
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["readinessProbe"]["httpGet"] == {"path": "/v1/models/small", "port": "rest"}
    assert {"startupProbe", "livenessProbe"} <= container.keys()
    assert {one["containerPort"] for one in container["ports"]} == {8500, 8501}
    assert service["spec"]["selector"] == deployment["spec"]["selector"]["matchLabels"]


def test_server_files_are_refused_for_unusable_models_and_outputs(tmp_path, files):
    with pytest.raises(CheckpointError, match="is not a model"):
        write_server_files(tmp_path / "new", [tmp_path])
    small = tmp_path / "models" / "small"
    with pytest.raises(ConfigError, match="two of the models"):
        write_server_files(tmp_path / "new", [small, small])
    with pytest.raises(ConfigError, match="no models"):
        write_server_files(tmp_path / "new", [])
    with pytest.raises(ConfigError, match="as the image"):
        write_server_files(tmp_path / "new", [small], image="x\n  privileged: true")
    with pytest.raises(ServingError, match="cannot write"):
        write_server_files(small / "manifest.json", [small])
    assert not (tmp_path / "new").exists()
