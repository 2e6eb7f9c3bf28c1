"""Batches over HTTP: a trainer asks a server for the batch of a step."""
