"""The C++ example is built and separates as Python does; the others name what the runtimes have."""

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tfsepgan.data.recordings.demo import demo_directory
from tfsepgan.models.folders import find_bundle
from tfsepgan.ondevice import StreamingSeparator, describe

DOCS = Path(__file__).parents[2] / "docs"
MODEL = "piano.stream.dynamic.tflite"
RATE_HZ = 44100
# what the examples call, as LiteRT 1.4 to 2.2 (Java) and TensorFlowLiteSwift 2.14 spell it
KNOWN = {
    "kotlin": {
        "Interpreter(file",
        "Interpreter.Options(",
        "interpreter.runSignature(inputs",
        "interpreter.getInputTensorFromSignature(name",
        "interpreter.close(",
    },
    "swift": {
        "Interpreter(modelPath:",
        "Interpreter.Options(",
        "options.threadCount",
        "interpreter.signatureRunner(with:",
        "stream.input(named:",
        "stream.invoke(with:",
        "stream.output(named:",
    },
}


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """The example, built against the LiteRT of this Python."""
    if not shutil.which("cmake") or not (shutil.which("g++") or shutil.which("clang++")):
        pytest.skip("no CMake or no C++ compiler")
    wanted = ["pkg-config", "--exists", "sndfile", "nlohmann_json"]
    if not shutil.which("pkg-config") or subprocess.run(wanted).returncode:
        pytest.skip("no libsndfile1-dev or no nlohmann-json3-dev")
    build = tmp_path_factory.mktemp("native")
    (litert,) = find_spec("ai_edge_litert").submodule_search_locations
    flags = [f"-DLITERT_DIR={litert}", "-DCMAKE_BUILD_TYPE=None", "-DCMAKE_CXX_FLAGS=-Wall"]
    for command in (
        ["cmake", "-S", DOCS / "native", "-B", build, *flags],
        ["cmake", "--build", build],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0 and "warning" not in done.stderr, done.stdout + done.stderr
    return build / "separate"


def separated(program, song, folder, model=MODEL):
    command = [program, find_bundle("piano") / model, song, folder]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_program_writes_the_stems_of_the_streaming_separator(program, tmp_path):
    left, _ = soundfile.read(demo_directory() / "test" / "piano" / "01-nocturne.ogg")
    mixture = np.stack([left[:40_001], 0.5 * left[10_000:50_001]], axis=1).astype(np.float32)
    soundfile.write(tmp_path / "song.wav", mixture, RATE_HZ, subtype="FLOAT")
    done = separated(program, tmp_path / "song.wav", tmp_path / "stems")
    assert done.returncode == 0, done.stderr
    separator = StreamingSeparator(find_bundle("piano") / MODEL, channels=2)
    first, last = separator.push(mixture), separator.finish()
    for stem in ("piano", "residual"):
        expected = np.concatenate([first[stem], last[stem]])
        written, rate_hz = soundfile.read(tmp_path / "stems" / f"{stem}.wav", dtype="float32")
        assert rate_hz == RATE_HZ and np.abs(written).max() > 0.01
        np.testing.assert_allclose(written, expected, rtol=0, atol=1e-5)


def test_the_program_says_what_is_wrong(program, tmp_path):
    soundfile.write(tmp_path / "song.wav", np.zeros(100), 16000)
    for model, song, message in (
        (MODEL, "none.wav", "none.wav: System error"),
        (MODEL, "song.wav", "song.wav has 16000 Hz; resample it to 44100"),
        ("piano.tflite", "song.wav", "piano.tflite is not a streaming file"),
    ):
        done = separated(program, tmp_path / song, tmp_path / "stems", model)
        assert done.returncode == 1 and message in done.stderr.splitlines()[-1]
        assert not (tmp_path / "stems").exists()


@pytest.mark.parametrize("language", KNOWN)
def test_the_other_examples_use_known_names_and_the_tensors_of_the_file(language):
    page = (DOCS / "native.md").read_text(encoding="utf-8")
    (code,) = re.findall(rf"```{language}\n(.*?)```", page, flags=re.DOTALL)
    code = re.sub(r"//.*|/\*.*?\*/|import .*", "", code)
    calls = re.findall(r"\b(?:[iI]nterpreter|stream|options)(?:\.\w+)?(?:\(\w*:?)?", code)
    assert {call for call in calls if "." in call or "(" in call} == KNOWN[language]
    signature = describe(find_bundle("piano") / MODEL)["signatures"]["stream"]
    tensors = {*signature["inputs"], *signature["outputs"], "stream"}
    assert set(re.findall(r'"(\w+)"', code)) == tensors - {"residual"}
