"""Models in TF Serving: clients that separate recordings of any length, and the server's files.

Call `separator.connect`. `grpc_client` and `rest_client` send requests, `retry` repeats failed
ones, `replies` checks the stems in a reply, and `description` checks the description of a model.
`deployment` writes the configuration files of a server, from `templates`.
"""
