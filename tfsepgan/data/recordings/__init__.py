"""What a data folder holds: the catalogue of its recordings, and what is wrong with them."""
