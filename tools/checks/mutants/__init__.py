"""All mutants: wrong lines that tests must notice.

A line that matters has one: a term or a sign of a loss, where a gradient stops, whose weights are
changed, what is drawn anew, what survives a restart, a limit. Each names the quickest tests that
kill it.
"""

from mutants.adversary import ADVERSARY
from mutants.compressed_sensing import COMPRESSED_SENSING
from mutants.cyclegan import CYCLEGAN
from mutants.decomposition import DECOMPOSITION
from mutants.gass import GASS
from mutants.losses import LOSSES
from mutants.networks import NETWORKS
from mutants.nmf import NMF
from mutants.runs import RUNS
from mutants.semisupervised import SEMISUPERVISED
from mutants.shared import SHARED
from mutants.signals import SIGNALS
from mutants.ssepgan import SSEPGAN
from mutants.wavegan import WAVEGAN

MUTANTS = (
    *LOSSES,
    *SIGNALS,
    *NETWORKS,
    *RUNS,
    *ADVERSARY,
    *SHARED,
    *SSEPGAN,
    *CYCLEGAN,
    *WAVEGAN,
    *SEMISUPERVISED,
    *DECOMPOSITION,
    *COMPRESSED_SENSING,
    *GASS,
    *NMF,
)
