"""SavedModels with named signatures, for TF Serving and other TensorFlow programs.

They are saved from traced functions and the variables that these use, not from the Keras model:
`tf.saved_model.save(model)` loses the names of the signatures, and `keras.export.ExportArchive`
stores every weight twice, as a Keras variable and as a TensorFlow variable.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import tensorflow as tf

from tfsepgan.errors import ExportError
from tfsepgan.export.savedmodel.signatures import (
    MIXTURE,
    RequestLimits,
    mono_separation_function,
    served_functions,
)
from tfsepgan.export.savedmodel.warmup import write_warmup
from tfsepgan.models.bundle import Bundle


def write_saved_model(bundle: Bundle, directory: Path, limits: RequestLimits | None = None) -> None:
    """Write the SavedModel for TF Serving: any batch, length and channels, with warm-up requests.

    Args:
      bundle: generator and manifest.
      directory: the version folder, such as `NAME/1`; must not exist.
      limits: of a request.
    Raises: ExportError when it cannot be written.
    """
    functions = served_functions(bundle.generator, bundle.manifest, limits or RequestLimits())
    save_functions(functions, directory)
    write_warmup(directory, bundle.manifest)


def write_mono_saved_model(bundle: Bundle, directory: Path) -> None:
    """Write the SavedModel that TFLite is converted from: one channel, any length.

    Args:
      bundle: generator and manifest.
      directory: must not exist.
    Raises: ExportError when it cannot be written.
    """
    function = tf.function(
        mono_separation_function(bundle.generator, bundle.manifest.sources),
        input_signature=[tf.TensorSpec((1, None, 1), tf.float32, name=MIXTURE)],
        autograph=False,
    )
    save_functions({"separate": function}, directory)


def save_functions(functions: Mapping[str, Callable], directory: Path) -> None:
    """Write functions as the signatures of a SavedModel, and each of their variables once.

    Args:
      functions: `tf.function` with one input signature, by name.
      directory: must not exist.
    Raises: ExportError when it cannot be written.
    """
    # TensorFlow logs the path, which would interrupt the progress display
    logger = logging.getLogger("tensorflow")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        traced = {name: function.get_concrete_function() for name, function in functions.items()}
        holder = tf.Module()
        holder.weights = list(
            {id(one): one for trace in traced.values() for one in trace.graph.variables}.values()
        )
        tf.saved_model.save(holder, str(directory), signatures=traced)
    except (OSError, tf.errors.OpError, ValueError) as error:
        raise ExportError(f"the SavedModel could not be written: {error}") from error
    finally:
        logger.setLevel(level)
