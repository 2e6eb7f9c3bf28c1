"""How the sets of this field lie on disk: one file a set, each turning a folder into splits,
sources and recordings."""
