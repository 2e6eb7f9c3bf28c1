"""Functions that build generators and discriminators as Functional Keras models.

Keras is imported first: `tfsepgan.registration` then imports every module of this package.
"""

import keras  # noqa: F401
