"""Batches made on another machine: client, server and their protocol."""
