"""What a data folder holds: the catalogue of its recordings, and checks on them."""
