"""Checks that two commits give the same bits: trains, scores, separates and exports with both.

    python tools/checks/same_bits.py BEFORE [AFTER] [--only CASE ...] [--steps 50] \\
        [--folder DIR] [--list]

BEFORE and AFTER are commits; without AFTER it is the working tree. Each is checked out into a
folder and runs its own commands on one thread, with the same settings, seeds and inputs:

    train-SYSTEM    the system's `tiny` preset on the packaged recordings: every array of the
                    checkpoint, the losses and validation scores
    separate        the stems of `tfsepgan-separate` with the shipped model, at another rate, stereo
    evaluate        the scores of `tfsepgan-evaluate` with the run of train-ssepgan
    export          that run as SavedModel and TFLite: signatures, weights, operators, constants
    names           the public Python names of the package, the commands and their flags; new ones
                    are allowed

Differences are listed, and then the exit code is 1. A case that fails with BEFORE is listed and not
compared.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from rich.console import Console
from same_bits_state import Facts, State, digest, leaves

REPOSITORY = Path(__file__).resolve().parents[2]
COMMANDS = ("train", "separate", "evaluate", "export", "tune", "generate", "data", "data preview")


def train(state: State, system: str) -> Facts:
    """The files of a training."""
    run = state.run(system)
    facts = dict(leaves(json.loads((run / "history.json").read_text()), "history"))
    with np.load(run / "state.npz") as saved:
        arrays = sorted(digest(saved[name]) for name in saved.files if name != "progress")
    return facts | {f"state/{index:03d}": found for index, found in enumerate(arrays)}


def separate(state: State) -> Facts:
    """The stems of ten seconds of stereo at 48 kHz."""
    rng = np.random.default_rng(5)
    time = np.arange(10 * 48000)[:, None] / 48000
    tones = 0.2 * np.sin(
        2 * np.pi * rng.uniform(80, 4000, (1, 12)) * time + rng.uniform(0, 6, (1, 12))
    )
    sound = np.stack([tones[:, :8].sum(1), tones[:, 4:].sum(1)], 1) / 4 + rng.normal(
        0, 0.01, (len(time), 2)
    )
    song = state.folder / "song.wav"
    soundfile.write(song, sound, 48000, subtype="PCM_16")
    model = state.checkout / "exported_models" / "piano"
    state.command("separate", song, "--model", model, "--output", state.folder / "stems")
    stems = sorted((state.folder / "stems").rglob("*.wav"))
    facts = {}
    for stem in stems:  # samples, not bytes: the header of a float file has a time
        samples, rate_hz = soundfile.read(stem, dtype="float32")
        kind = soundfile.info(stem).subtype
        facts[str(stem.relative_to(state.folder / "stems"))] = (
            f"{kind} {rate_hz} Hz {digest(samples)}"
        )
    return facts


def evaluate(state: State) -> Facts:
    """The scores of a run."""
    output = state.folder / "scores"
    state.command(
        "evaluate",
        "--model",
        state.run("ssepgan"),
        "--data",
        "demo",
        "--output",
        output,
        "--mixtures",
        "2",
    )
    reports = sorted(output.rglob("*.json"))
    return {
        name: value
        for report in reports
        for name, value in leaves(json.loads(report.read_text()), str(report.relative_to(output)))
        if str(state.folder) not in value
    }


EXPORTED = """
import json, sys
from pathlib import Path
import numpy as np, tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
folder = Path(sys.argv[1])
loaded = tf.saved_model.load(str(folder / "1"))
facts = {}
for name, signature in loaded.signatures.items():
    given = {key: str(spec) for key, spec in signature.structured_input_signature[1].items()}
    outputs = {key: str(spec) for key, spec in signature.structured_outputs.items()}
    facts[f"signature {name}"] = json.dumps([given, outputs])
for file in sorted(folder.glob("*.tflite")):
    interpreter = Interpreter(str(file))
    operators = interpreter._get_ops_details()
    facts[f"{file.name} operators"] = " ".join(operator["op_name"] for operator in operators)
    tensors = interpreter.get_tensor_details()
    shapes = [(str(one["dtype"]), one["shape_signature"].tolist()) for one in tensors]
    facts[f"{file.name} tensors"] = json.dumps(shapes)
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()
    if len(given) == 1:
        interpreter.resize_tensor_input(given[0]["index"], [1, 4096, 1])
        interpreter.allocate_tensors()
        sound = np.random.default_rng(1).normal(0, 0.1, (1, 4096, 1)).astype(np.float32)
        interpreter.set_tensor(given[0]["index"], sound)
        interpreter.invoke()
        for number, output in enumerate(interpreter.get_output_details()):
            values = interpreter.get_tensor(output["index"])
            facts[f"{file.name} output {number}"] = values.tobytes().hex()
print("FACTS" + json.dumps(facts))
"""


def export(state: State) -> Facts:
    """An export: signatures, graphs and their outputs."""
    output = state.folder / "exported"
    state.command("export", "--run", state.run("ssepgan"), "--output", output)
    facts = json.loads(state.call(EXPORTED, output).rpartition("FACTS")[2])
    return {
        name: text if len(text) < 200 else digest(text.encode()) for name, text in facts.items()
    }


def names(state: State) -> Facts:
    """Public names and flags, each with the text 'there'."""
    found = state.call("import tfsepgan; print(*dir(tfsepgan))").split()
    facts = {f"tfsepgan.{name}": "there" for name in found}
    for command in COMMANDS:
        script = state.command(*command.split(), "--tyro-print-completion", "bash")
        flags = set(re.findall(r"--[a-z][\w.-]*", script))
        facts |= {f"tfsepgan-{command} {flag}": "there" for flag in flags}
    return facts


def cases(systems: list[str]) -> dict[str, Callable[[State], Facts]]:
    """All cases by name."""
    trainings = {
        f"train-{system}": lambda state, system=system: train(state, system) for system in systems
    }
    return trainings | {
        "separate": separate,
        "evaluate": evaluate,
        "export": export,
        "names": names,
    }


def differences(before: Facts, after: Facts, *, may_grow: bool) -> list[str]:
    """The differences, one line each."""
    lines = [f"{name} is missing" for name in before if name not in after]
    if not may_grow:
        lines += [f"{name} is new" for name in after if name not in before]
    shared = (name for name in before if name in after and before[name] != after[name])
    return lines + [
        f"{name}: {before[name][:60]} before, {after[name][:60]} after" for name in shared
    ]


def check_out(commit: str | None, folder: Path) -> Path:
    """A folder with the repository at a commit; without one, the working tree itself."""
    if commit is None:
        return REPOSITORY
    if not folder.is_dir():
        subprocess.run(
            ["git", "clone", "--quiet", "--shared", "--no-checkout", REPOSITORY, folder], check=True
        )
        subprocess.run(["git", "-C", folder, "checkout", "--quiet", commit], check=True)
    return folder


def failure(error: subprocess.CalledProcessError) -> str:
    """The last line that a command printed before it failed."""
    lines = [line for line in f"{error.stdout}\n{error.stderr}".splitlines() if line.strip()]
    return lines[-1] if lines else f"exit code {error.returncode}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before")
    parser.add_argument("after", nargs="?")
    parser.add_argument("--only", nargs="+", metavar="CASE", help="some of the cases, by name")
    parser.add_argument("--steps", type=int, default=50, help="steps of each training (default 50)")
    parser.add_argument(
        "--folder", type=Path, help="folder for all outputs; default: a temporary one"
    )
    parser.add_argument("--list", action="store_true", help="list the cases and exit")
    options = parser.parse_args()
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="tfsepgan-bits-"))).resolve()
    before, after = (
        State(check_out(commit, folder / name / "code"), folder / name, options.steps)
        for name, commit in (("before", options.before), ("after", options.after))
    )
    every = cases(before.systems())
    unknown = sorted(set(options.only or ()) - every.keys())
    if unknown:
        parser.error(f"there is no case {unknown[0]!r}; there are {', '.join(every)}")
    if options.list:
        print(*every, sep="\n")
        return 0
    console, failed = Console(highlight=False), 0
    for name in options.only or every:
        try:
            facts = [every[name](state) for state in (before, after)]
            lines = differences(*facts, may_grow=name == "names")
        except subprocess.CalledProcessError as error:
            facts, lines = [{}], [f"a command failed: {failure(error)}"]
        failed += bool(lines)
        verdict = "[red]differs[/red]" if lines else "[green]same[/green]"
        console.print(
            f"{name:24} {verdict}, {len(facts[0])} compared",
            *(f"    {line}" for line in lines[:8]),
            sep="\n",
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
