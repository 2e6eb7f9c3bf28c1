"""The identity term of S-SepGAN: a source alone stays as it is. Keras only, for every backend.

Source: ElAraby, Ni & Tran, "S-SepGAN", section 3.3.
"""

import keras

from tfsepgan.losses.reconstruction import l1
from tfsepgan.settings.ssepgan import SSepGANConfig
from tfsepgan.systems.crops import only_source
from tfsepgan.systems.statistics import statistics_kept


def identity_loss(generator: keras.Model, target, gain, config: SSepGANConfig, *, batch: int):
    """|G(x) - x|_1: a source alone stays as it is, and the other estimates are silent.

    Args:
      generator: `[batch, time, 1]` -> `[batch, sources, time, 1]`.
      target: the sources, `[batch, sources, time, 1]`.
      gain: what brings each mixture to the level of the losses, `[batch, 1, 1]`.
      config: its `identity_weight` and `identity_share` are used.
      batch: windows in a batch; the term uses a share of them.
    Returns: scalar, without its weight; 0.0 where that is zero.
    """
    if not config.identity_weight:
        return 0.0
    few = max(1, round(config.identity_share * batch))
    alone, gain, count, loss = target[:few], gain[:few, None], target.shape[1], 0.0
    # The moving statistics stay those of mixtures, the inputs of the exported network.
    with statistics_kept(generator):
        for index in range(count):
            wanted = only_source(alone, index)
            estimate = generator(alone[:, index], training=True)
            loss += l1(gain * wanted, gain * estimate)
    return loss / count
