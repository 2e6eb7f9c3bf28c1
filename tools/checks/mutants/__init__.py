"""All mutants: wrong lines that tests must notice.

Every important line has one: a term or a sign of a loss, a place where a gradient stops, the choice
of the trained weights, a new draw, a variable that must survive a restart, a limit. Each mutant
names the quickest tests that fail on it.
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
