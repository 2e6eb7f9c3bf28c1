"""Keras layers of the networks; they use keras.ops only."""
