"""What must happen later: due rows, and the worker that does what is due (architecture §5)."""
