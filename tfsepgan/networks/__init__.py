"""Functions that return Functional Keras models: generators and discriminators."""
