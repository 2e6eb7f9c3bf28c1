"""Functions that build generators and discriminators as Functional Keras models."""
