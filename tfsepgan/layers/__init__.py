"""Keras layers of the networks; they use keras.ops only.

Keras is imported first: `tfsepgan.registration` then imports every module of this package.
"""

import keras  # noqa: F401
