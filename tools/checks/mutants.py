"""The wrong lines that tests must notice, all of them.

A line that matters gets one: a term or a sign of a loss, where a gradient stops, whose weights move, what is drawn anew, what
survives a restart, a limit. Each names the quickest tests that kill it.
"""

from mutants_of_losses import LOSSES
from mutants_of_runs import RUNS
from mutants_of_systems import SYSTEMS


MUTANTS = (*LOSSES, *SYSTEMS, *RUNS)
