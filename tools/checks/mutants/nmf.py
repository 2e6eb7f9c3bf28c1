"""Wrong lines of the system `nmf`."""

from mutation import mutants_of

NMF = (
    *mutants_of(
        "systems/nmf.py",
        "systems/test_nmf.py",
        (
            "nmf-squared-distance",
            '"beta_loss": "kullback-leibler"',
            '"beta_loss": "frobenius"',
            "test_activations_are_those_of_multiplicative_updates",
        ),
        (
            "nmf-separation-moves-the-spectra",
            "H=together, update_H=False",
            "H=together, update_H=True",
            "test_activations_are_those_of_multiplicative_updates",
        ),
        (
            "nmf-fit-from-ones",
            "non_negative_factorization(frames, H=spectra, update_H=False, **updates)",
            "(np.ones((len(frames), len(spectra)), np.float32), None, None)",
            "test_a_fit_is_that_of_multiplicative_updates",
        ),
        (
            "nmf-spectra-of-any-mean",
            "return spectra / (spectra.mean(axis=1, keepdims=True) + 1e-30), misfit",
            "return spectra, misfit",
            "test_a_fit_is_that_of_multiplicative_updates",
        ),
        (
            "nmf-misfit-upside-down",
            "divergence(activations @ spectra, frames)",
            "divergence(frames, activations @ spectra)",
            "test_a_fit_is_that_of_multiplicative_updates",
        ),
        (
            "nmf-newest-frames-only",
            "ops.top_k(ops.concatenate([self.keys, keys], axis=1), self.config.pool)",
            "ops.top_k(ops.concatenate([self.keys - 9, keys], axis=1), self.config.pool)",
            "test_the_sample_is_uniform_over_all_frames_so_far",
        ),
        (
            "nmf-activations-without-level",
            "return (found * levels).reshape",
            "return found.reshape",
            "test_activations_are_those_of_multiplicative_updates",
        ),
        (
            "nmf-fit-goes-on-from-the-last",
            "self.fit_dictionary(sample, self.start(sample))",
            "self.fit_dictionary(sample, learnt[part] + 1e-9)",
            "test_more_updates_leave_less_unexplained_and_a_fit_forgets_the_last_one",
        ),
        (
            "nmf-mask-power-left-out",
            "shares(parts, self.config.mask_power)",
            "shares(parts, 1.0)",
            "systems/test_nmf_separation.py::test_a_mask_is_a_parts_share_of_the_magnitudes_raised_to_the_power",
        ),
    ),
)
