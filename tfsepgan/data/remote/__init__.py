"""Batches that another machine makes."""
