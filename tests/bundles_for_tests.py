"""Small generators with random weights, as bundles; a separator without a network."""

import json
from types import SimpleNamespace

import numpy as np


def edit(model, **changes):
    """Change facts in the manifest of a model folder."""
    path = model / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def whole_separator(rate_hz):
    """A separator whose one source, `all`, is the whole mixture; it needs no TensorFlow."""
    from tfsepgan.separation.separator import Separator

    manifest = SimpleNamespace(
        name="whole", sources=("all",), sample_rate_hz=rate_hz, hop=1, context=0, low_rank=None
    )
    bundle = SimpleNamespace(manifest=manifest, separate_function=lambda: lambda x: x[:, None])
    return Separator(bundle, stereo="apart")  # together, rounding changes the last bits


def random_bundle(
    kind,
    *,
    rate_hz,
    sources,
    name="small",
    trained=None,
    half_precision=False,
    **settings,
):
    """A bundle of an untrained generator with no weight at zero; the same one at each call.

    Args:
      kind, settings: of the generator, see `GeneratorConfig`.
      rate_hz, sources, name, trained: for the manifest.
      half_precision: True rounds the weights to half precision, as in an export.
    """
    import keras

    from tfsepgan.export.exporter import in_half_precision
    from tfsepgan.models.bundle import Bundle, describe
    from tfsepgan.networks.table import build_generator
    from tfsepgan.settings.networks import GeneratorConfig

    keras.utils.set_random_seed(0)
    config = GeneratorConfig(kind=kind, **settings)
    generator = build_generator(config, sources=len(sources), sample_rate_hz=rate_hz)
    random = np.random.default_rng(0)
    # Biases other than zero, as after training: zero ones could hide an error at the edges.
    generator.set_weights(
        [w + 0.05 * random.random(w.shape) if w.ndim == 1 else w for w in generator.get_weights()]
    )
    manifest = describe(
        generator,
        config,
        name=name,
        system="ssepgan",
        sample_rate_hz=rate_hz,
        sources=tuple(sources),
        trained=trained or {},
    )
    return Bundle(in_half_precision(generator) if half_precision else generator, manifest)
