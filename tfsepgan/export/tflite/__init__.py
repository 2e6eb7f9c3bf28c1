"""The TFLite files of an export: conversion, variants, streaming and metadata.

`files` makes all of them. `conversion` starts `convert` in a separate process; `variants` holds
the kinds of files and their limits; `streaming` wraps the streaming twin; `metadata` writes the
description of a file into it.
"""
