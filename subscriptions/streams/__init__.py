"""Streams: the log as it grows, pushed to whoever follows it (protocol §7, architecture §4).

The log is the truth. `reading` reads it for topics, `tail` reads it once for all followers of the process, and `sse` and
`websocket` are two ways to send what a follower gets.
"""
