"""Running a system: the loop, checkpoints, what people see of it."""
