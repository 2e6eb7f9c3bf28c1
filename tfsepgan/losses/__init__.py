"""Loss functions, pure, in keras.ops."""
