"""The TFLite files: conversion, variants, streaming, metadata."""
