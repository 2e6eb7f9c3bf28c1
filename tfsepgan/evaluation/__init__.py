"""Scores, tables and pictures of a separator on a set of mixtures."""
