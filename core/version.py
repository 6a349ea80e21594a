"""Version of the installed distribution."""

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """Return the installed version, or "unknown"."""
    try:
        return version("openintent")
    except PackageNotFoundError:  # Run from a checkout that is not installed.
        return "unknown"
