"""What a model folder is: its manifest, its weights, and how it is found by name."""
