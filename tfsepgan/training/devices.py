"""The devices that a run computes on: `--device`, and memory of GPUs."""

import tensorflow as tf

from tfsepgan.errors import ConfigError


def use_devices(wanted: str | None) -> None:
    """Hide all devices but these from TensorFlow, and let GPUs take memory as they need it.

    Args:
      wanted: 'cpu', 'gpu', 'gpu:1' or several with commas (`config.check` checks the form); None:
        all devices.
    Raises: ConfigError when there is no such device, or TensorFlow already uses others.
    """
    if wanted is not None:
        _show_only(wanted)
    for gpu in tf.config.get_visible_devices("GPU"):
        _grow(gpu)


def names_of(devices) -> list[str]:
    """Short names such as 'gpu:0', in order."""
    return [":".join(device.name.lower().split(":")[-2:]) for device in devices]


def _show_only(wanted: str) -> None:
    there = {kind: tf.config.list_physical_devices(kind) for kind in ("CPU", "GPU")}
    chosen = {"CPU": [], "GPU": []}
    for name in wanted.lower().replace(" ", "").split(","):
        kind, _, number = name.upper().partition(":")
        found = there[kind] if not number else there[kind][int(number) : int(number) + 1]
        if not found:
            known = ", ".join(names_of(there["CPU"] + there["GPU"]))
            raise ConfigError(
                f"device is {wanted!r}, but this machine has no {name}; it has {known}. A GPU is"
                " listed only if TensorFlow was installed with CUDA and finds the driver."
            )
        chosen[kind] += found
    if tf.config.get_visible_devices("GPU") == chosen["GPU"]:
        return
    try:
        tf.config.set_visible_devices(chosen["GPU"], "GPU")
    except RuntimeError as error:  # TensorFlow has started, and cannot change its devices
        raise ConfigError(
            f"device is {wanted!r}, but TensorFlow already runs on other devices in this process."
            " Set the device before anything else uses TensorFlow."
        ) from error


def _grow(gpu) -> None:
    try:
        tf.config.experimental.set_memory_growth(gpu, True)
    except (RuntimeError, ValueError):  # started already: whoever started it chose
        return
