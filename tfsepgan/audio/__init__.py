"""Sound files: one reader, one writer, one table of suffixes, one set of limits for every command."""
