"""Model folders: their manifest, their weights, and how they are found by name."""
