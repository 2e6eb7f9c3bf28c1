"""Scoring a separator on a set of mixtures: scores, tables and pictures."""
