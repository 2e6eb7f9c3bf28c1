"""What S-SepGAN asks of its generator besides fooling a discriminator: the paired and the identity term. Keras only.

Source: ElAraby, Ni & Tran, "S-SepGAN", section 3.3. With generator G, mixture m and target x: w_p d(G(m), x) + w_i |G(x) - x|_1.
"""

from typing import Any, NamedTuple

import keras
from keras import ops

from tfsepgan.losses.reconstruction import PAIRED_LOSSES, l1
from tfsepgan.settings.ssepgan import SSepGANConfig
from tfsepgan.systems.listening import gain_to_level
from tfsepgan.systems.statistics import statistics_kept


class Passed(NamedTuple):
    """What a generator made of a batch, all at the level at which losses hear it."""

    mixture: Any  # [batch, time, 1]
    target: Any  # [batch, sources, time, 1]
    estimate: Any  # [batch, sources, time, 1]
    identity: Any  # scalar: the identity term, without its weight


def pass_of(generator: keras.Model, mixture, target, config: SSepGANConfig, *, batch: int) -> Passed:
    """Separate a batch, and each source alone as the identity term asks.

    Args:
      generator: `[batch, time, 1]` -> `[batch, sources, time, 1]`.
      mixture: `[batch, time, 1]`.
      target: `[batch, sources, time, 1]`.
      config: `level_dbfs` and what belongs to the identity term are used.
      batch: windows in the batch.
    """
    gain = gain_to_level(mixture, config.level_dbfs)
    estimate = gain[:, None] * generator(mixture, training=True)
    with statistics_kept(generator):  # it ships with those of mixtures, which are all that it hears then
        identity = identity_loss(generator, target, gain, config, batch=batch)
    return Passed(gain * mixture, gain[:, None] * target, estimate, identity)


def identity_loss(generator: keras.Model, target, gain, config: SSepGANConfig, *, batch: int):
    """|G(x) - x|_1: a source alone must pass unchanged, and leave nothing for the other sources.

    Args:
      target: `[batch, sources, time, 1]`, as it was recorded.
      gain: `[batch, 1, 1]`, what brings it to the level of the losses.
      batch: windows in the batch, of which a share is heard.
    """
    if not config.identity_weight:
        return 0.0
    heard = max(1, round(config.identity_share * batch))
    alone, gain = target[:heard], gain[:heard, None]
    count = target.shape[1]
    loss = 0.0
    for index in range(count):
        wanted = [alone[:, k] if k == index else ops.zeros_like(alone[:, k]) for k in range(count)]
        loss += l1(gain * ops.stack(wanted, axis=1), gain * generator(alone[:, index], training=True))
    return loss / count


def paired_losses(estimate, target, identity, config: SSepGANConfig) -> tuple[Any, dict[str, Any]]:
    """The weighted sum of both terms, and the terms by name; the identity term only where it has a weight.

    Args:
      estimate, target, identity: of `pass_of`.
    """
    terms = {"paired": PAIRED_LOSSES[config.paired_loss](target, estimate)}
    total = config.paired_weight * terms["paired"]
    if config.identity_weight:
        terms["identity"] = identity
        total += config.identity_weight * terms["identity"]
    return total, terms
