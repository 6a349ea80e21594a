"""Wiring: settings, URLs, ASGI application and the server command."""
