"""From checkpoints to the model that ships: the mean of weights, softer masks, paired scores."""
