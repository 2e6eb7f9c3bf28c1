"""Keras layers that the networks are built of; keras.ops only."""
