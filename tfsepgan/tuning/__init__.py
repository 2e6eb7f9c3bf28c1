"""The search over a system's settings, on keras-tuner."""
