"""Sound files: one reader, one writer, one table of suffixes and limits for every command."""
