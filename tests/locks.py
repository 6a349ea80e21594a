"""The locks in requirements/, read against the metadata of what they install, and wheels made up to stand beside them."""

import re
import tomllib
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.processes import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OF_LOCKS = {"server": ("server", "async", "redis", "mcp"), "dev": ("dev",)}
"""The extras in each lock, as `make lock` has them. Both have the group `build`."""


def locked(name: str, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the versions in requirements/{name}.txt, for this Python or another environment."""
    text = (ROOT / f"requirements/{name}.txt").read_text()
    pins = map(Requirement, re.findall(r"^(\S+==.*?) *\\?$", text, re.MULTILINE))
    here = [each for each in pins if _applies(each, environment or {})]
    return {str(canonicalize_name(each.name)): next(iter(each.specifier)).version for each in here}


def needed(roots: Iterable[Requirement], environment: Mapping[str, str] | None = None) -> dict[str, list[Requirement]]:
    """Return what these need, all the way down: for each name, all requirements of it. What is not installed needs nothing more."""
    found: dict[str, list[Requirement]] = {}
    todo, seen = [*roots], set()
    while todo:
        requirement = todo.pop()
        name = str(canonicalize_name(requirement.name))
        if name != "openintent":
            found.setdefault(name, []).append(requirement)
        for extra in ({"", *requirement.extras}) - {extra for known, extra in seen if known == name}:
            seen.add((name, extra))
            lines = map(Requirement, _requires(name, extra))
            todo += [each for each in lines if _applies(each, {**(environment or {}), "extra": extra})]
    return found


def project_requirements(extras: Iterable[str], groups: Iterable[str] = ()) -> list[Requirement]:
    extra = {name: map(Requirement, PROJECT["project"]["optional-dependencies"][name]) for name in extras}
    lines = [*PROJECT["project"]["dependencies"], *(line for group in groups for line in PROJECT["dependency-groups"][group])]
    return [*map(Requirement, lines), *(each for found in extra.values() for each in found)]


def _requires(name: str, extra: str) -> Sequence[str]:
    if name == "openintent":
        return PROJECT["project"]["optional-dependencies"][extra] if extra else PROJECT["project"]["dependencies"]  # type: ignore[no-any-return]
    try:
        return distribution(name).requires or []
    except PackageNotFoundError:
        return []


def _applies(requirement: Requirement, environment: Mapping[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": "", **environment})


def make_wheel(folder: Path, name: str, version: str, requires: Iterable[str] = ()) -> str:
    """Write a wheel with a module of that name, which has its version. Return its hash."""
    info = f"{name}-{version}.dist-info"
    metadata = [f"Name: {name}", f"Version: {version}", "Provides-Extra: more", *(f"Requires-Dist: {each}" for each in requires)]
    files = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": "\n".join(["Metadata-Version: 2.1", *metadata, ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for each in _with_record(files, f"{info}/RECORD"):
            archive.writestr(*each)
    return sha256(path.read_bytes()).hexdigest()


def _with_record(files: Mapping[str, str], record: str) -> Iterator[tuple[str, str]]:
    yield from files.items()
    digests = {name: urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b"=").decode() for name, text in files.items()}
    yield record, "".join(f"{name},sha256={digest},{len(files[name])}\n" for name, digest in digests.items()) + f"{record},,\n"
