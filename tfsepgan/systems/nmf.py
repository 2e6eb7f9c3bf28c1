"""NMF: each source is a sum of a few fixed spectra; a mixture is explained by those of all sources.

Source: supervised NMF with the Kullback-Leibler divergence, the baseline of Subakan & Smaragdis
2018, "Generative Adversarial Source Separation" (arXiv:1710.10779), and the method of Smaragdis,
Raj & Shashanka 2007. Numbers are from the authors' code. A part is a source, or the others. With
magnitudes X of a part's frames, spectra W and activations H, all non-negative:

    learning        W, H = argmin KL(X | H W), by multiplicative updates, for each part
    separation      H = argmin KL(mixture | H [W_1 ... W_P]) with all W fixed;
                    the mask of part p = H_p W_p / (H W)

scikit-learn computes both. No network is trained, so there are no players: a step adds frames of
each part alone to a random sample of all its frames so far, and an epoch ends with a fit to that
sample. Each fit starts anew. A fit that continues from the last one explains its own part better,
but also the other parts, and separates worse. Departs from it:
- The others are a part like the sources.
- Windows are scaled to one level before they are sampled, because recordings differ by 30 dB; the
  authors scale whole signals.
- A fit is to a sample of the recordings; the authors have half a minute of each speaker and fit all
  of it.
- Spectra start as frames of the sample and their activations are found first, then both are updated
  in turn. The code starts both nearly flat, at random, and updates both at once for 100 iterations
  (ours is 1 dB better on the demo set).
- Updates minimise the divergence; the code has a probability model with sums of 1, whose steps of
  one activation are the same.
- The transform is the package's, with a root Hann window both ways, so that the masked parts add up
  to the mixture.
`demo` also has longer frames, more spectra, fewer updates, shares of energy, and loud frames with
more weight than quiet ones. Settings and presets: `tfsepgan/settings/nmf.py`.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops
from sklearn.decomposition import non_negative_factorization

from tfsepgan.config import Experiment
from tfsepgan.layers.spectra import Spectra, level, shares
from tfsepgan.losses.poisson import divergence
from tfsepgan.networks.dictionary import dictionary
from tfsepgan.systems.base import SearchingSystem
from tfsepgan.systems.crops import magnitudes_by_source

# a fixed number of multiplicative updates
UPDATES = {"solver": "mu", "beta_loss": "kullback-leibler", "tol": 0}
EMPTY = -100.0  # key of a pool entry that has no frame yet
LEAST = 1e-3  # share of the mean spectrum added to starts: multiplied, a zero stays zero


class NMF(SearchingSystem):
    """A dictionary of spectra for each part, learnt from recordings of the part alone.

    Source: the baseline of Subakan & Smaragdis 2018, arXiv:1710.10779.
    """

    batch_keys = ("solo",)
    losses_logged = ("divergence",)
    why_not_exported = (
        "NMF fits the activations of each mixture with scikit-learn when it separates; there is no"
        " network to export."
    )
    why_not_in_parts = "it takes no optimizer steps."

    def __init__(self, experiment: Experiment):
        super().__init__(experiment)
        config = self.config
        parts = self.parts = len(self.sources) + experiment.data.has_others  # others are one
        self.spectra = Spectra(config.frame, config.hop)
        bins = self.spectra.bins
        sizes = {"parts": parts, "rank": config.rank, "bins": bins}
        self.dictionary = dictionary(**sizes, seed=experiment.data.seed)
        self.pool = self._state("pool", (parts, config.pool, bins), "zeros")
        # A frame stays in the pool while its key is among the highest of all keys so far. Keys are
        # normal: in float32 the highest of millions differ, while uniform ones would be equal.
        self.keys = self._state("keys", (parts, config.pool), keras.initializers.Constant(EMPTY))
        self.misfit = self._state("misfit", (), "zeros")

    def _state(self, name: str, shape: tuple, initializer):
        return self.add_weight(
            name=name, shape=shape, initializer=initializer, trainable=False, dtype="float32"
        )

    @property
    def players(self):
        return {}

    @property
    def shipped(self):
        return {"dictionary": self.dictionary}

    @property
    def hop(self):
        return self.config.hop

    @property
    def context(self):
        return self.config.frame  # each frame is explained by itself

    def train_step(self, batch):
        # without others in the data, the last window of `solo` is silence
        self.sample(magnitudes_by_source(self.spectra, batch["solo"][:, : self.parts]))
        return self.log(divergence=self.misfit)

    def sample(self, frames):
        """Add frames `[parts, frames, bins]` to the pool.

        The pool stays a uniform sample of all frames so far.

        Source: Efraimidis & Spirakis 2006, "Weighted random sampling with a reservoir", with equal
          weights.
        """
        keys = keras.random.normal(frames.shape[:2], seed=self.draws)
        highest, places = ops.top_k(ops.concatenate([self.keys, keys], axis=1), self.config.pool)
        both = ops.concatenate([self.pool, frames], axis=1)
        self.pool.assign(tf.gather(both, places, batch_dims=1))
        self.keys.assign(highest)

    def finish_epoch(self):
        """Fit the dictionary of each part to its sample of frames."""
        spectra = self.dictionary.get_layer("dictionary").spectra
        learnt, misfits = np.array(spectra), []
        pools = zip(np.array(self.pool), np.array(self.keys), strict=True)
        for part, (frames, keys) in enumerate(pools):
            sample = self.weighted(frames[keys > EMPTY])
            if sample.any():
                learnt[part], misfit = self.fit_dictionary(sample, self.start(sample))
                misfits.append(misfit)
        spectra.assign(learnt)
        self.misfit.assign(np.mean(misfits) if misfits else 0.0)

    def weighted(self, frames: np.ndarray) -> np.ndarray:
        """Frames `[frames, bins]` for a fit, with `weighting` 'equal' at mean 1.

        The divergence grows with a frame's level, so at mean 1 all frames count the same.
        """
        return frames / np.asarray(level(frames)) if self.config.weighting == "equal" else frames

    def start(self, frames: np.ndarray) -> np.ndarray:
        """Start of a fit to frames `[frames, bins]`: some of them, `[rank, bins]`.

        Random factors make all of them different.
        """
        places = np.arange(self.config.rank) % len(frames)
        random = np.random.default_rng(self.experiment.data.seed)
        factors = random.uniform(0.5, 1.5, (len(places), frames.shape[1]))
        return (frames[places] * factors + LEAST * frames.mean(axis=0)).astype(np.float32) + 1e-9

    def fit_dictionary(self, frames: np.ndarray, spectra: np.ndarray) -> tuple[np.ndarray, float]:
        """Learn a dictionary.

        Args:
          frames: `[frames, bins]`.
          spectra: the start, `[rank, bins]`.
        Returns: spectra of mean 1, `[rank, bins]`, and the divergence that remains.
        """
        updates = {"n_components": len(spectra), "max_iter": self.config.fit_iterations, **UPDATES}
        activations, _, _ = non_negative_factorization(frames, H=spectra, update_H=False, **updates)
        activations, spectra, _ = non_negative_factorization(
            frames, W=np.maximum(activations, 1e-12), H=spectra, init="custom", **updates
        )
        misfit = float(ops.mean(divergence(activations @ spectra, frames)))
        return spectra / (spectra.mean(axis=1, keepdims=True) + 1e-30), misfit

    def separate(self, mixture):
        spectrum = self.spectra.analyse(mixture)
        magnitudes = self.spectra.magnitude(spectrum)
        batch, frames, bins = magnitudes.shape
        parts = self.dictionary(self.activations(np.reshape(magnitudes, (-1, bins))))
        masks = ops.reshape(shares(parts, self.config.mask_power), (batch, frames, -1, bins))
        wanted = masks[:, :, : len(self.sources)]
        return np.asarray(self.spectra.masked(spectrum, wanted, mixture.shape[1]))

    def activations(self, magnitudes: np.ndarray) -> np.ndarray:
        """Activations `[frames, parts, rank]` of all spectra for magnitudes `[frames, bins]`.

        A frame's result does not depend on the other frames: each frame is scaled to one level. All
        activations start from one value, which cancels in the first update.
        """
        spectra = np.array(self.dictionary.get_layer("dictionary").spectra)
        together = spectra.reshape(-1, spectra.shape[-1])
        levels = np.asarray(level(magnitudes))
        updates = {"n_components": len(together), "max_iter": self.config.iterations, **UPDATES}
        found, _, _ = non_negative_factorization(
            magnitudes / levels, H=together, update_H=False, **updates
        )
        return (found * levels).reshape(-1, *spectra.shape[:2])
