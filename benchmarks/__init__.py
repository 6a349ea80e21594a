"""How fast the server is, and what that costs: `python -m benchmarks`."""
