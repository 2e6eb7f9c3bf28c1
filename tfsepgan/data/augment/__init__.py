"""How a window or a recording is changed before it is mixed."""
