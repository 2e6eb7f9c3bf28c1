"""A model behind TF Serving: clients that separate any recording through it, and the files a server
is set up with.

`separator.connect` is what to call; `grpc_client` and `rest_client` speak to the server, `retry`
decides when to ask again, `replies` refuses what is no answer, `description` learns what the model
is; `config` writes the server's files.
"""
