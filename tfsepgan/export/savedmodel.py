"""SavedModels with named signatures, for TF Serving and for any TensorFlow program.

`keras.export.ExportArchive` is used because `tf.saved_model.save` loses the signatures' names.
"""

import contextlib
import io
from pathlib import Path

from tfsepgan.errors import ExportError
from tfsepgan.export.signatures import MIXTURE, SIGNATURES, mono_separation_function, separation_function
from tfsepgan.networks.bundle import Bundle


def write_saved_model(bundle: Bundle, directory: Path) -> None:
    """Write the SavedModel that is served: any batch, any length, any number of channels.

    Args:
      bundle: generator and manifest.
      directory: the version folder, such as `NAME/1`; must not exist.
    Raises: ExportError when it cannot be written.
    """
    function = separation_function(bundle.generator, bundle.manifest.sources)
    _write(bundle, directory, dict.fromkeys(SIGNATURES, function), shape=(None, None, None))


def write_mono_saved_model(bundle: Bundle, directory: Path) -> None:
    """Write the SavedModel that TFLite is converted from: one channel, any length.

    Args:
      bundle: generator and manifest.
      directory: must not exist.
    Raises: ExportError when it cannot be written.
    """
    function = mono_separation_function(bundle.generator, bundle.manifest.sources)
    _write(bundle, directory, {"separate": function}, shape=(1, None, 1))


def _write(bundle: Bundle, directory: Path, endpoints: dict, *, shape: tuple) -> None:
    import keras
    import tensorflow as tf

    archive = keras.export.ExportArchive()
    archive.track(bundle.generator)
    signature = [tf.TensorSpec(shape, tf.float32, name=MIXTURE)]
    try:
        for name, function in endpoints.items():
            archive.add_endpoint(name, function, input_signature=signature)
        with contextlib.redirect_stdout(io.StringIO()):  # it prints a page about its endpoints
            archive.write_out(str(directory), verbose=False)
    except (OSError, tf.errors.OpError, ValueError) as error:
        raise ExportError(f"the SavedModel of {bundle.manifest.name!r} could not be written: {error}") from error
