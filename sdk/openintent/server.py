"""The server from Python: `OpenIntentServer(port=8000, …).run()`.

A thin door: the server itself needs the extra, `pip install 'openintent[server]'`.
"""

try:
    from config.server import OpenIntentServer
except ModuleNotFoundError as missing:
    raise ImportError(f"The OpenIntent server needs the package {missing.name!r}: pip install 'openintent[server]'") from missing

__all__ = ["OpenIntentServer"]
