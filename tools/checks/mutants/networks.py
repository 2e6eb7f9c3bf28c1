"""Wrong lines of generators and discriminators, and of how they stream."""

from mutation import mutants_of

_AUTHORS = "test_the_papers_generator_is_the_authors_layer_by_layer"

NETWORKS = (
    *mutants_of(
        "networks/streaming_memory.py",
        "networks/test_streaming.py",
        (
            "stream-sees-beyond-the-end",
            "not_over = ops.less(a_hop * self._since_end + position, float(late + more))",
            "not_over = ops.greater_equal(position, 0.0)",
            "test_blocks_equal_one_pass_at_any_length",
        ),
        (
            "stream-sees-before-the-start",
            "begun = ops.greater_equal(a_hop * self._since_start + position, float(late))",
            "begun = ops.greater_equal(position, 0.0)",
            "test_blocks_equal_one_pass_at_any_length",
        ),
        (
            "stream-forgets",
            "self.keep(past, _frames_of(extended",
            "self.keep(past, 0.0 * _frames_of(extended",
            "test_blocks_equal_one_pass_at_any_length",
        ),
    ),
    *mutants_of(
        "layers/dilated.py",
        "networks/test_streaming.py",
        (
            "causal-convolution-looks-ahead",
            "[before, self.ahead]",
            "[self.reach, self.reach]",
            "test_blocks_equal_one_pass_at_any_length",
        ),
    ),
    *mutants_of(
        "networks/passing.py",
        "networks/test_resnet.py",
        (
            "identity-pairs-of-one-sign",
            "kernel[FIRST + phase, 0, 2 * phase + 1] = 1, -1",
            "kernel[FIRST + phase, 0, 2 * phase + 1] = 1, 1",
            "test_an_identity_start_returns_the_mixture",
        ),
        (
            "identity-tap-beside",
            "FIRST = 11",
            "FIRST = 12",
            "test_the_numpy_twins_of_the_identity_start_equal_the_layers",
        ),
        (
            "identity-bands-of-one-sign",
            "[[weight, -weight], [-weight, weight]]",
            "[[weight, weight], [weight, weight]]",
            "test_an_identity_start_returns_the_mixture",
        ),
    ),
    *mutants_of(
        "networks/resnet.py",
        "networks/test_resnet.py",
        (
            "resnet-blocks-linear-at-the-end",
            "leaky(norm(convolution(branch)))",
            '(leaky if part == "first" else lambda x: x)(norm(convolution(branch)))',
            _AUTHORS,
        ),
        (
            "resnet-blocks-without-norm",
            "branch = leaky(norm(convolution(branch)))",
            "branch = leaky(convolution(branch))",
            _AUTHORS,
        ),
        (
            "resnet-norm-after-the-activation",
            "branch = leaky(norm(convolution(branch)))",
            "branch = norm(leaky(convolution(branch)))",
            _AUTHORS,
        ),
        (
            "resnet-without-skip",
            'return layers.Add(name=f"{name}_add")([signal, branch])',
            'return layers.Add(name=f"{name}_add")([branch, branch])',
            _AUTHORS,
        ),
        (
            "resnet-strides-linear",
            "signal = leaky(strided(padded))",
            "signal = strided(padded)",
            _AUTHORS,
        ),
        (
            "resnet-strides-normalised",
            "signal = leaky(strided(padded))",
            "signal = leaky(layers.BatchNormalization()(strided(padded)))",
            "test_the_papers_generator_has_the_authors_size",
        ),
        (
            "resnet-upsampling-bent",
            "signal = upsampled(signal)",
            "signal = leaky(upsampled(signal))",
            _AUTHORS,
        ),
        (
            "resnet-ends-in-tanh",
            'layers.Activation("linear", dtype="float32")',
            'layers.Activation("tanh", dtype="float32")',
            _AUTHORS,
        ),
        (
            "resnet-padded-at-the-other-end",
            "STRIDED_PADDING = (11, 10)",
            "STRIDED_PADDING = (10, 11)",
            _AUTHORS,
        ),
        ("resnet-slope-of-relu", "SLOPE = 0.2", "SLOPE = 0.0", _AUTHORS),
        (
            "resnet-momentum-of-keras",
            "momentum=0.9, epsilon",
            "momentum=0.99, epsilon",
            "test_the_papers_generator_starts_as_the_authors_does",
        ),
        (
            "resnet-epsilon-of-keras",
            "epsilon=1e-5",
            "epsilon=1e-3",
            "test_the_papers_generator_starts_as_the_authors_does",
        ),
        (
            "identity-not-shared-out",
            'kernels["up1"] / sources',
            'kernels["up1"]',
            "test_an_identity_start_returns_the_mixture",
        ),
        (
            "identity-leaves-channels-dead",
            "np.where(unused, ops.convert_to_numpy(layer.kernel), kernel)",
            "kernel",
            "test_an_identity_start_leaves_no_channel_without_a_gradient",
        ),
        (
            "resnet-skip-starts-as-normal",
            '"ones" if config.start == "normal" else "zeros"',
            '"ones"',
            "test_blocks_that_start_as_their_skips_pass_the_signal_unchanged",
        ),
        (
            "resnet-always-starts-as-its-skips",
            '"ones" if config.start == "normal" else "zeros"',
            '"zeros"',
            "test_the_papers_generator_starts_as_the_authors_does",
        ),
        (
            "resnet-starts-ten-times-louder",
            "stddev=0.02",
            "stddev=0.2",
            "test_the_papers_generator_starts_as_the_authors_does",
        ),
        (
            "resnet-narrow-first",
            "enumerate((narrow, wide))",
            "enumerate((wide, wide))",
            "test_the_papers_generator_has_the_authors_size",
        ),
    ),
    *mutants_of(
        "networks/streaming.py",
        "networks/test_streaming.py",
        (
            "stream-residual-early",
            "residual = memory.delayed(mixture, delayed.delay)",
            "residual = mixture",
            "test_blocks_equal_one_pass_at_any_length",
        ),
        (
            "stream-mixture-early",
            "spectrum = twin.memory.delayed(spectrum, late)",
            "pass",
            "test_blocks_equal_one_pass_at_any_length",
        ),
        (
            "stream-skip-early",
            "add([waited, mix(branch)])",
            "add([path.signal, mix(branch)])",
            "test_blocks_equal_one_pass_at_any_length",
        ),
        (
            "stream-upper-levels-early",
            "waited = twin.memory.delayed(skip.signal, path.late - skip.late)",
            "waited = skip.signal",
            "test_blocks_equal_one_pass_at_any_length",
        ),
    ),
    *mutants_of(
        "networks/discriminators.py",
        "networks/test_discriminators.py",
        (
            "discriminator-without-shuffle",
            "PhaseShuffle(config.phase_shuffle, **options)",
            "PhaseShuffle(0, **options)",
            "test_wavegan_shuffles_in_training_only",
        ),
        (
            "discriminator-unbounded",
            "layers.SpectralNormalization(layer) if config.spectral_norm else layer",
            "layer",
            "test_spectral_normalisation_brings_every_gain_to_one",
        ),
    ),
    *mutants_of(
        "networks/filterbank.py",
        "networks/test_generators.py",
        (
            "masks-above-one",
            "activation=activation, name=name",
            'activation="softplus", name=name',
            "test_masks_never_amplify_a_bin",
        ),
    ),
    *mutants_of(
        "networks/time_frequency.py",
        "networks/test_time_frequency_networks.py",
        (
            "context-without-the-levels",
            "masker_context(config, 2 * config.levels)",
            "masker_context(config, config.levels)",
            "test_the_context_is_the_reach_of_the_convolutions",
        ),
        (
            "positions-never-exchanged",
            'name=f"{name}_join")([branch, across])',
            'name=f"{name}_join")([branch, branch])',
            "test_sizes_match_the_docs_page",
        ),
    ),
    *mutants_of(
        "layers/time_frequency.py",
        "layers/test_time_frequency_layers.py",
        (
            "dilation-of-one",
            "(batch, -1, self.dilation * positions, channels)",
            "(batch, -1, positions, channels)",
            "test_the_convolution_is_keras_own",
        ),
    ),
    *mutants_of(
        "networks/masking.py",
        "networks/test_generators.py",
        (
            "masks-of-the-first-source",
            "axis=-1)[self.source]",
            "axis=-1)[0]",
            "test_each_source_has_its_own_masks",
        ),
        (
            "context-too-short",
            "return (frames + 1) * config.hop + config.frame",
            "return frames * config.hop",
            "test_the_declared_context_is_sufficient_and_close",
        ),
    ),
    *mutants_of(
        "networks/dense.py",
        "networks/test_dense.py",
        (
            "parts-hear-the-first",
            "latents[:, part]",
            "latents[:, 0]",
            "test_sources_are_independent",
        ),
        (
            "critic-with-softplus",
            '"tanh", f"part{part}_hidden"',
            '"softplus", f"part{part}_hidden"',
            "test_a_critic_is_a_layer_with_tanh_and_a_sum",
        ),
    ),
)
