"""The presets of CycleGAN are the papers', and settings that contradict are refused."""

import pytest
from cyclegan_for_tests import (
    NOTHING,
    TERMS,
    experiment,
)

from tfsepgan.config import check
from tfsepgan.errors import ConfigError
from tfsepgan.settings.cyclegan import PRESETS
from tfsepgan.settings.ssepgan import PRESETS as SSEPGAN_PRESETS

PAPER = PRESETS["paper"].model


def test_the_papers_preset_is_section_3_2():
    assert (PAPER.objective, PAPER.identity, PAPER.mixture_fakes) == (
        "vanilla",
        "paired",
        "estimates",
    )
    assert (PAPER.pool, PAPER.carry_rest, PAPER.level_dbfs, PAPER.discriminator_steps) == (
        0,
        False,
        None,
        1,
    )
    weights = {term: getattr(PAPER, f"{term}_weight") for term in TERMS}
    wanted = {
        "cycle_mixture": 10.0,
        "identity_source": 0.5,
        "adversarial_source": 1.0,
        "adversarial_mixture": 1.0,
    }
    assert weights == dict.fromkeys(TERMS, 0.0) | wanted
    assert max(weights, key=weights.get) == "cycle_mixture"  # "higher weight on the cyclical loss"


def test_all_that_section_3_2_shares_with_3_3_is_one_in_both_presets():
    ssepgan, cyclegan = SSEPGAN_PRESETS["paper"], PRESETS["paper"]
    assert PAPER.generator == PAPER.mixer == ssepgan.model.generator
    assert PAPER.discriminator == ssepgan.model.discriminator
    assert (cyclegan.data, cyclegan.training) == (ssepgan.data, ssepgan.training)
    assert (cyclegan.training.learning_rate, cyclegan.training.betas) == (2e-4, (0.5, 0.9))


def test_zhus_preset_is_zhus():
    model, training = PRESETS["zhu"].model, PRESETS["zhu"].training
    assert (model.objective, model.pool, model.carry_rest, model.level_dbfs) == (
        "lsgan",
        50,
        False,
        None,
    )
    assert (model.identity, model.mixture_fakes) == ("unpaired", "sources")
    assert [getattr(model, f"{term}_weight") for term in TERMS] == [10.0, 10.0, 5.0, 5.0, 1.0, 1.0]
    assert model.generator == model.mixer
    assert (training.learning_rate, training.betas) == (2e-4, (0.5, 0.999))


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_presets_can_be_trained_with(preset):
    check(PRESETS[preset])


@pytest.mark.parametrize(
    "change", [{"identity": "paired"}, {"mixture_fakes": "estimates"}], ids=lambda c: next(iter(c))
)
def test_a_residual_is_not_carried_to_the_sources_of_its_own_mixture(change):
    with pytest.raises(ConfigError, match="carry_rest with identity .* use identity 'unpaired'"):
        check(experiment(model={"carry_rest": True, **change}))


def test_fakes_made_of_estimates_teach_the_generator_too():
    alone = {**NOTHING, "adversarial_mixture_weight": 1.0}
    check(experiment(model={**alone, "mixture_fakes": "estimates"}))
    with pytest.raises(ConfigError, match="nothing to learn from"):
        check(experiment(model=alone))
