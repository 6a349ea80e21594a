"""Streams: new events of the log, pushed to followers (protocol §7, architecture §4).

`log_reader` reads the log by topics, `tail` reads it once for all followers of the process, `sse` and `websocket` send a
follower's events.
"""
