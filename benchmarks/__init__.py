"""Benchmarks: throughput, latency and CPU of the server (`python -m benchmarks`)."""
