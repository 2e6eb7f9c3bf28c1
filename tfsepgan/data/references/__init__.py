"""Fixed mixtures and windows for validation and scoring."""
