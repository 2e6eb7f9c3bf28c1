"""Training a system: the loop, checkpoints, validation and what a run shows."""
