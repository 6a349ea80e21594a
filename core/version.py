"""The version of the installed distribution."""

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    try:
        return version("openintent")
    except PackageNotFoundError:  # Run from a folder that nobody installed.
        return "unknown"
