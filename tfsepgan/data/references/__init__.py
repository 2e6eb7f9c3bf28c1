"""Fixed mixtures and windows that validation and scoring use again and again."""
