"""Reference pages: docs/reference/{http,sdk}/*.md and docs/reference/errors.md, generated from openapi.yaml, the SDK and the server.

The pages are committed, so that they can be read on a code host. `make reference` writes them; `make check` compares them.
"""
