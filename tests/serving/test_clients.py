"""The clients' parts without a server: when to ask again, what is no reply, blocks in parallel,
descriptions, set-up files."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import yaml

from tfsepgan.errors import CheckpointError, ConfigError, ServingError
from tfsepgan.separation.engine import BlockSeparator
from tfsepgan.serving.deployment import write_server_files
from tfsepgan.serving.description import complete, read_description
from tfsepgan.serving.replies import checked_stems
from tfsepgan.serving.retry import BAD_REPLY, Patience, Refused, patiently
from tfsepgan.serving.separator import ParallelBlocks, connect


def failing(*codes):
    """An attempt that fails with these codes and then succeeds, and the time limits it was given."""
    left, limits = list(codes), []

    def attempt(seconds):
        limits.append(seconds)
        if left:
            raise Refused(left.pop(0), "the reason")
        return "done"

    return attempt, limits


@pytest.mark.parametrize(
    "code", ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "INTERNAL", BAD_REPLY]
)
def test_a_passing_failure_is_repeated(code):
    attempt, limits = failing(code, code)
    waits = []
    assert (
        patiently(attempt, Patience(), server="it", sleep=waits.append, draw=lambda: 1.0) == "done"
    )
    assert len(limits) == 3
    assert waits == [0.1, 0.2]


@pytest.mark.parametrize(
    "code", ["INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "PERMISSION_DENIED"]
)
def test_a_final_failure_is_not_repeated(code):
    attempt, limits = failing(code)
    with pytest.raises(ServingError, match=f"it answered {code}: the reason"):
        patiently(attempt, Patience(), server="it", sleep=lambda _: pytest.fail("it waited"))
    assert len(limits) == 1


def test_waits_double_up_to_a_limit_and_half_of_each_is_random():
    patience = Patience(first_wait_seconds=0.5, longest_wait_seconds=3.0)
    assert [patience.wait_seconds(failures, lambda: 1.0) for failures in range(1, 6)] == [
        0.5,
        1.0,
        2.0,
        3.0,
        3.0,
    ]
    assert patience.wait_seconds(2, lambda: 0.0) == 0.5


def test_attempts_and_time_are_limited():
    attempt, limits = failing(*["UNAVAILABLE"] * 9)
    with pytest.raises(
        ServingError, match="no usable answer in 3 attempts; the last was UNAVAILABLE"
    ):
        patiently(attempt, Patience(attempts=3), server="it", sleep=lambda _: None)
    assert len(limits) == 3
    attempt, limits = failing(*["UNAVAILABLE"] * 9)
    patience = Patience(deadline_seconds=0.2, first_wait_seconds=0.1, attempt_seconds=7)
    with pytest.raises(ServingError, match=r"in 0\.2 s"):
        patiently(attempt, patience, server="it", draw=lambda: 1.0)
    assert all(seconds <= 0.2 for seconds in limits) and len(limits) <= 2


@pytest.mark.parametrize(
    "settings", [{"attempts": 0}, {"deadline_seconds": -1.0}, {"attempt_seconds": float("nan")}]
)
def test_impossible_patience_is_refused(settings):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        Patience(**settings)


MIXTURE = np.random.default_rng(0).uniform(-1, 1, (2, 50, 1)).astype(np.float32)
GOOD = {"piano": 0.5 * MIXTURE, "residual": MIXTURE - 0.5 * MIXTURE}
WRONG = {
    "lacks 'piano'": {"residual": MIXTURE},
    "lacks 'residual'": {"piano": MIXTURE},
    "float32 (2, 49, 1); wanted": {**GOOD, "piano": GOOD["piano"][:, 1:]},
    "float64": {**GOOD, "piano": GOOD["piano"].astype(np.float64)},
    "not finite": {**GOOD, "piano": np.where(MIXTURE > 0.9, np.float32("nan"), GOOD["piano"])},
    "to another mixture": {**GOOD, "piano": GOOD["piano"] + np.float32(1e-4)},
}


def test_a_complete_reply_is_accepted():
    np.testing.assert_array_equal(checked_stems(MIXTURE, GOOD, ("piano",)), GOOD["piano"][:, None])


@pytest.mark.parametrize("words", WRONG)
def test_an_unusable_reply_is_refused(words):
    with pytest.raises(Refused) as caught:
        checked_stems(MIXTURE, WRONG[words], ("piano",))
    assert caught.value.code == BAD_REPLY and caught.value.passing
    assert words in str(caught.value)


def average(mixture):
    """A slow network with a hop of 2 and a context of 4: `[batch, time, 1]` to `[batch, 1, time, 1]`.
    """
    time.sleep(0.002 * (mixture.shape[1] % 3))
    padded = np.pad(mixture[..., 0], [(0, 0), (4, 4)])
    return np.stack([padded[:, shift : shift + mixture.shape[1]] for shift in range(9)]).mean(
        axis=0
    )[:, None, :, None]


SHAPE = {"channels": 3, "sources": 1, "hop": 2, "context": 4, "block": 10}


@pytest.mark.parametrize("parallel", [1, 3, 50])
def test_blocks_in_parallel_come_back_in_order_and_unchanged(parallel):
    mixture = np.random.default_rng(1).uniform(-1, 1, (503, 3)).astype(np.float32)
    with ThreadPoolExecutor(4) as pool:
        engines = [
            BlockSeparator(average, **SHAPE),
            ParallelBlocks(average, **SHAPE, pool=pool, parallel=parallel),
        ]
        whole = []
        for engine in engines:
            blocks = [
                one
                for start in range(0, 503, 37)
                for one in engine.push(mixture[start : start + 37])
            ]
            whole.append(np.concatenate(blocks + engine.finish(), axis=1))
    np.testing.assert_array_equal(whole[0], whole[1])
    assert whole[1].shape == (1, 503, 3)


def test_few_blocks_are_unfinished_and_an_error_cancels_them():
    started, go = [], threading.Event()

    def network(mixture):
        started.append(len(mixture))
        if len(started) > 1:
            time.sleep(0.3)
        go.wait(5)
        raise ServingError("the server is down")

    with ThreadPoolExecutor(1) as pool:
        engine = ParallelBlocks(network, **{**SHAPE, "channels": 1}, pool=pool, parallel=3)
        assert engine.push(np.zeros((10 * 3 + 4, 1), np.float32)) == []
        go.set()
        with pytest.raises(ServingError, match="down"):
            engine.push(np.zeros((40, 1), np.float32))
    assert len(started) <= 3


DESCRIPTION = {
    "name": "small",
    "system": "ssepgan",
    "network_settings": {},
    "sample_rate_hz": 8000,
    "sources": ["piano"],
    "hop": 64,
    "context": 100,
    "parameters": 1,
    "limits": {"max_request_samples": 9999},
    "from_the_future": 1,
}


def test_a_description_is_read():
    read = read_description(json.dumps(DESCRIPTION), server="it")
    assert (read.manifest.sources, read.manifest.hop) == (("piano",), 64)
    assert read.max_request_samples == 9999


@pytest.mark.parametrize(
    "change",
    [
        {"hop": 0},
        {"hop": "64"},
        {"context": -1},
        {"sources": []},
        {"sources": [1]},
        {"limits": {}},
        {"limits": {"max_request_samples": 0}},
        {"sample_rate_hz": None},
        {"name": None},
    ],
)
def test_a_description_with_a_wrong_value_is_refused(change):
    with pytest.raises(ServingError, match="it sent a description that cannot be used"):
        read_description(json.dumps({**DESCRIPTION, **change}), server="it")


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000])
def test_a_description_other_than_a_json_object_is_refused(text):
    with pytest.raises(ServingError, match="cannot be used"):
        read_description(text, server="it")


@pytest.mark.parametrize(
    "server", ["localhost", "http://localhost:8500", ":8500", "localhost:port"]
)
def test_an_unusable_address_is_refused(server):
    with pytest.raises(ConfigError, match="wanted HOST:PORT"):
        connect(server, "piano")


@pytest.mark.parametrize("text", ["", "{", b'{"name": "sma', b"\xff"])
def test_a_description_that_was_cut_short_is_requested_again(text):
    with pytest.raises(Refused) as caught:
        complete(text)
    assert caught.value.passing


def test_a_server_that_is_not_running_is_one_clear_error():
    with pytest.raises(
        ServingError,
        match=r"127\.0\.0\.1:9 \(REST\) gave no usable answer in 2 attempts; .*is running",
    ):
        connect("127.0.0.1:9", "piano", rest=True, patience=Patience(attempts=2))


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
