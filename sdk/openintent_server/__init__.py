"""The server's commands, and the place of its packages.

The server is made of packages with plain names: `config`, `intents`, `access`, … In the wheel they lie in this folder, so that an
installation has no top-level name but `openintent` and `openintent_server`; in a checkout they lie at its root. A command of the
server puts their folder first on sys.path before it imports any of them.
"""

import os
import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

_HERE = Path(__file__).resolve().parent
ROOT = _HERE if (_HERE / "config").is_dir() else _HERE.parents[1]
"""The folder of the server's packages."""

OF_THE_CHECKOUT = {"benchmarks", "tests"}
"""Packages that lie beside them in a checkout."""

FOR_DEVELOPERS = {"daphne"}
"""Requirements of the extra that only `runserver` uses."""

HOW_TO_INSTALL = "pip install '.[server]' in a checkout of OpenIntent, or 'openintent-….whl[server]' with its wheel"


class CannotStart(RuntimeError):
    """The server cannot start as it was asked to; the message says what to do."""


def serve() -> None:
    """Run `openintent-server`."""
    _make_importable("openintent-server")
    from config.server import main  # noqa: PLC0415

    main()


def manage() -> None:
    """Run `openintent-manage`, with the server's own settings whatever DJANGO_SETTINGS_MODULE says."""
    _make_importable("openintent-manage")
    from config.manage import main  # noqa: PLC0415

    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    main()


def add_packages_to_path() -> None:
    """Make the server's packages importable. Idempotent.

    Raise ImportError where the extra `server` is not installed, CannotStart where this process has other modules of those names.
    """
    require_extra()
    if foreign := _foreign_modules():
        raise CannotStart(
            f"this program has imported {' and '.join(foreign)}, and the server has modules of the same name. "
            "Start the server in a process of its own: openintent-server."
        )
    if sys.path[:1] != [str(ROOT)]:
        sys.path.insert(0, str(ROOT))


def require_extra() -> None:
    """Raise ImportError where the extra `server` is not installed."""
    try:
        requirements = distribution("openintent").requires or []
    except PackageNotFoundError:  # A checkout that is not installed.
        return
    of_server = [line for line in requirements if re.search(r"extra == ['\"]server['\"]", line)]
    names = {match[0] for line in of_server if (match := re.match(r"[\w.-]+", line))}
    missing = []
    for name in sorted(names - FOR_DEVELOPERS):
        try:
            distribution(name)
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        raise ImportError(f"The OpenIntent server needs more packages ({', '.join(missing)}): {HOW_TO_INSTALL}.")


def _make_importable(command: str) -> None:
    try:
        add_packages_to_path()
    except (ImportError, CannotStart) as error:
        sys.exit(f"{command}: {error}")


def _foreign_modules() -> list[str]:
    """Return what this process has imported from elsewhere under the names of the server's packages, as `name (file)`."""
    names = {path.parent.name for path in ROOT.glob("*/__init__.py")} - OF_THE_CHECKOUT
    foreign = []
    for name in sorted(names & sys.modules.keys()):
        module = sys.modules[name]
        location = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "elsewhere")
        if not Path(location).resolve().is_relative_to(ROOT / name):
            foreign.append(f"{name} ({location})")
    return foreign
