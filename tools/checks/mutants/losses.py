"""Wrong lines of losses."""

from mutation import mutants_of

_FORMULA = "test_an_objective_is_its_formula"

LOSSES = (
    *mutants_of(
        "losses/adversarial.py",
        "losses/test_adversarial.py",
        ("vanilla-sign", "return ops.softplus(-scores)", "return ops.softplus(scores)", _FORMULA),
        (
            "lsgan-real-is-zero",
            "return ops.square(scores - 1.0)",
            "return ops.square(scores)",
            _FORMULA,
        ),
        (
            "hinge-real-without-margin",
            "return ops.relu(1.0 - scores)",
            "return ops.relu(-scores)",
            _FORMULA,
        ),
        (
            "hinge-fake-without-margin",
            "return ops.relu(1.0 + scores)",
            "return ops.relu(scores)",
            _FORMULA,
        ),
        (
            "hinge-generator-with-margin",
            "_below_minus_one, ops.negative)",
            "_below_minus_one, _above_one)",
            _FORMULA,
        ),
        (
            "vanilla-generator-saturates",
            "(_certainly, ops.softplus, _certainly)",
            "(_certainly, ops.softplus, lambda scores: -ops.softplus(scores))",
            _FORMULA,
        ),
        (
            "wasserstein-sides-swapped",
            "(ops.negative, ops.convert_to_tensor, ops.negative)",
            "(ops.convert_to_tensor, ops.negative, ops.negative)",
            _FORMULA,
        ),
        (
            "wasserstein-generator-sign",
            "ops.convert_to_tensor, ops.negative),",
            "ops.convert_to_tensor, ops.convert_to_tensor),",
            _FORMULA,
        ),
        (
            "listeners-added-not-averaged",
            "return sum(means) / len(means)",
            "return sum(means)",
            _FORMULA,
        ),
        (
            "fake-loss-of-the-real-side",
            "return _mean(_objective(objective)[1], scores)",
            "return _mean(_objective(objective)[0], scores)",
            _FORMULA,
        ),
        (
            "three-terms-estimate-is-real",
            "real_loss(objective, real) + fake_loss(objective, generated)",
            "real_loss(objective, real) + real_loss(objective, generated)",
            "test_the_discriminators_loss_is_the_sum_of_its_three_terms",
        ),
        (
            "three-terms-mixture-is-real",
            "mixture_weight * fake_loss(objective, mixture)",
            "mixture_weight * real_loss(objective, mixture)",
            "test_the_discriminators_loss_is_the_sum_of_its_three_terms",
        ),
        (
            "three-terms-mixture-sign",
            "return loss + mixture_weight",
            "return loss - mixture_weight",
            "test_the_discriminators_loss_is_the_sum_of_its_three_terms",
        ),
        (
            "three-terms-mixture-without-weight",
            "loss + mixture_weight * fake_loss",
            "loss + fake_loss",
            "test_the_discriminators_loss_is_the_sum_of_its_three_terms",
        ),
        (
            "features-move-the-real",
            'real = ops.stop_gradient(ops.cast(real, "float32"))',
            'real = ops.cast(real, "float32")',
            "test_feature_matching_has_a_gradient_for_the_estimate_only",
        ),
        (
            "features-not-relative",
            "ops.mean(ops.abs(real - fake)) / (ops.mean(ops.abs(real)) + 1e-5)",
            "ops.mean(ops.abs(real - fake))",
            "test_feature_matching_is_its_formula",
        ),
    ),
    *mutants_of(
        "losses/diversity.py",
        "losses/test_diversity.py",
        (
            "diversity-moves-the-real",
            "wanted = ops.stop_gradient(_difference(real))",
            "wanted = _difference(real)",
        ),
        ("diversity-rewards-more", "ops.relu(1.0 - _difference(made)", "(1.0 - _difference(made)"),
        (
            "diversity-of-one-sound-and-itself",
            "ops.roll(average, 1, axis=0)",
            "ops.roll(average, 1, axis=1)",
        ),
    ),
    *mutants_of(
        "losses/penalties.py",
        "losses/test_penalties.py",
        (
            "points-beyond-the-line",
            "real + position * (fake - real)",
            "real + position * (real - fake)",
        ),
        (
            "points-at-the-real",
            "return real + position * (fake - real)",
            "return real + 0 * position * (fake - real)",
        ),
        (
            "slope-wanted-at-zero",
            "return ops.mean(ops.square(_slope(gradient) - 1.0))",
            "return ops.mean(ops.square(_slope(gradient)))",
        ),
        (
            "slope-of-the-mean",
            "ops.mean(ops.square(_slope(gradient) - 1.0))",
            "ops.square(ops.mean(_slope(gradient) - 1.0))",
        ),
        ("one-sided-is-two-sided", "ops.relu(_slope(gradient) - 1.0)", "(_slope(gradient) - 1.0)"),
        ("slope-of-the-whole-batch", "axis=(1, 2)) + 1e-12", "axis=(0, 1, 2)) + 1e-12"),
        ("slope-without-floor", "axis=(1, 2)) + 1e-12)", "axis=(1, 2)))"),
    ),
    *mutants_of(
        "losses/poisson.py",
        "losses/test_poisson.py",
        (
            "poisson-sign",
            "rate - observed * ops.log(rate + FLOOR)",
            "rate + observed * ops.log(rate + FLOOR)",
        ),
        ("poisson-without-rate", "ops.mean(rate - observed *", "ops.mean(-observed *"),
        (
            "divergence-with-its-floor",
            "- poisson_loss(observed, observed)",
            "- 0 * poisson_loss(observed, observed)",
        ),
        (
            "jumps-with-sign",
            "ops.mean(ops.abs(parts[:, 1:] - parts[:, :-1]), axis=-1)",
            "ops.mean(parts[:, 1:] - parts[:, :-1], axis=-1)",
        ),
        (
            "jumps-over-one-level",
            "0.5 * (levels[:, 1:, 0] + levels[:, :-1, 0])",
            "levels[:, 1:, 0]",
        ),
    ),
    *mutants_of(
        "losses/reconstruction.py",
        "losses/test_reconstruction.py",
        (
            "mean-square-is-l1",
            '{"l1": l1, "mse": mean_square}',
            '{"l1": l1, "mse": l1}',
            "systems/test_ssepgan.py::test_the_paired_distance_may_be_the_mean_square",
        ),
        (
            "l1-with-sign",
            "return ops.mean(ops.abs(ops.cast(target",
            "return ops.mean((ops.cast(target",
        ),
        ("spectral-without-logarithm", " + ops.mean(ops.abs(ops.log(real) - ops.log(fake)))", ""),
        ("spectral-without-convergence", "total + convergence + ops.mean", "total + ops.mean"),
        (
            "spectral-over-the-estimate",
            "(ops.sum(ops.square(real)) + 1e-7)",
            "(ops.sum(ops.square(fake)) + 1e-7)",
        ),
        ("spectral-one-resolution", "return total / len(frames)", "return total"),
    ),
    *mutants_of(
        "losses/recovery.py",
        "losses/test_recovery.py",
        (
            "unexplained-sides-swapped",
            "ops.relu(excess) + unexplained_weight * ops.relu(-excess)",
            "ops.relu(-excess) + unexplained_weight * ops.relu(excess)",
        ),
        (
            "measured-by-the-mean",
            "return ops.sum(ops.square(made - observed), axis",
            "return ops.mean(ops.square(made - observed), axis",
        ),
        (
            "latent-energy-by-the-mean",
            "return ops.sum(ops.square(latents), axis",
            "return ops.mean(ops.square(latents), axis",
        ),
        (
            "shares-above-the-mixture",
            "whole = ops.maximum(whole, mixture_power[:, None])",
            "whole = ops.minimum(whole, mixture_power[:, None])",
        ),
    ),
    *mutants_of(
        "losses/additive.py",
        "losses/test_additive.py",
        (
            "additive-always-absolute",
            "return distance(mixture, ops",
            "return l1(mixture, ops",
            "systems/test_semisupervised.py::test_additive_is_what_estimates_of_unlabelled_mixtures_miss_of_them",
        ),
        (
            "additive-by-the-mean",
            'ops.sum(ops.cast(estimates, "float32"), axis=1)',
            'ops.mean(ops.cast(estimates, "float32"), axis=1)',
        ),
    ),
)
