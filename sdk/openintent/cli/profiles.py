"""Profiles: servers and their keys, in a file that only its owner can read."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import NamedTemporaryFile

import typer

from ..errors import InputValidationError


@dataclass(frozen=True)
class Profile:
    """A server, the key to it, and the acting agent; without a URL, no server in particular."""

    url: str
    key: str | None = field(default=None, repr=False)
    agent: str | None = None


@dataclass(frozen=True)
class Profiles:
    """All profiles by name, and the name of the one that is used by default."""

    by_name: Mapping[str, Profile] = field(default_factory=dict)
    default: str | None = None

    def select(self, name: str | None) -> Profile | None:
        """Return the named profile, or the default one if there is any. Raise InputValidationError for an unknown name."""
        if name and name not in self.by_name:
            raise InputValidationError(f"there is no profile {name}. Create it with: openintent login {name}", field="profile")
        return self.by_name.get(name or self.default or "")

    def with_profile(self, name: str, profile: Profile) -> "Profiles":
        """Return the profiles with this one, which is the default."""
        return Profiles({**self.by_name, name: profile}, default=name)

    def without(self, name: str) -> "Profiles":
        rest = {each: profile for each, profile in self.by_name.items() if each != name}
        return Profiles(rest, default=None if self.default == name else self.default)


def profiles_path() -> Path:
    return Path(typer.get_app_dir("openintent")) / "profiles.json"


def load_profiles() -> Profiles:
    """Return the stored profiles. Raise InputValidationError if the file is not valid."""
    path = profiles_path()
    try:
        data = json.loads(path.read_text())
        return Profiles({name: Profile(**each) for name, each in data["profiles"].items()}, default=data["default"])
    except FileNotFoundError:
        return Profiles()
    except (AttributeError, LookupError, TypeError, ValueError, OSError) as error:
        raise InputValidationError(f"{path} cannot be read: {error!r}", field="profile") from error


def save_profiles(profiles: Profiles) -> None:
    """Store the profiles, all of them or none."""
    path = profiles_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    data = {"default": profiles.default, "profiles": {name: asdict(each) for name, each in profiles.by_name.items()}}
    with NamedTemporaryFile("w", dir=path.parent, prefix=".profiles-", delete=False) as file:  # It has mode 0600 from the start.
        try:
            json.dump(data, file, indent=2)
        except BaseException:
            os.unlink(file.name)
            raise
    os.replace(file.name, path)


def complete_from_profile(given: Profile, stored: Profile | None) -> Profile:
    """Return what is given, completed from a stored profile.

    Its key and agent are for its own server: they are not sent to another one.
    """
    if stored is None or (given.url and _normal(given.url) != _normal(stored.url)):
        return given
    agent = given.agent or (None if given.key else stored.agent)
    return replace(stored, key=given.key or stored.key, agent=agent)


def _normal(url: str) -> str:
    return url.rstrip("/").removesuffix("/api/v1").casefold()
