"""Background jobs: periodic tasks, and the worker that runs them (architecture §5)."""
