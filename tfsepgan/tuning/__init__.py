"""A search for better settings of a system, with keras-tuner."""
