"""A copy of the package that calculates in float64, to tell errors from rounding.

Training amplifies rounding: two runs that differ in the order of a sum differ more with every step.
In float64 rounding starts at 1e-16, so what remains above is an error.
"""

import json
import os
import shutil
from pathlib import Path

import tfsepgan

# Their arrays are tensors of the training step. Audio is read, mixed and stored in float32.
CALCULATES = ("config", "layers", "losses", "metrics", "models", "networks", "systems", "training")
BATCHES = "data/batches/pipeline.py"
VALUE = "tf.ensure_shape(value, shapes[key])"


def environment_in_double(folder: Path) -> dict[str, str]:
    """Write the copy below `folder`; return the environment in which Python imports it.

    Validation reads float32 audio and does not work in this copy.
    """
    package = Path(tfsepgan.__file__).parent
    copy = folder / package.name
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("__pycache__", "web"))
    for room in CALCULATES:
        for path in (copy / room).rglob("*.py"):
            path.write_text(path.read_text().replace("float32", "float64"))
    batches = (copy / BATCHES).read_text()
    assert batches.count(VALUE) == 1, f"{BATCHES} has changed; adapt {__file__}"
    (copy / BATCHES).write_text(batches.replace(VALUE, f"tf.cast({VALUE}, tf.float64)"))
    settings = {"floatx": "float64", "backend": "tensorflow"}
    (folder / "keras.json").write_text(json.dumps(settings))
    # the working folder, which can hold the package too, comes first otherwise (Python 3.11)
    found = {"PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"}
    return {**os.environ, **found, "KERAS_HOME": str(folder)}
