"""Version of the distribution."""

__version__ = "0.18.0"
