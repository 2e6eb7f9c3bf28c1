"""Augmentation: changes windows or recordings before they are mixed."""
