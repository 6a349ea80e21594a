"""The wheel, and virtual environments into which it is installed as users install it. No network is needed."""

import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from tests.processes import ROOT

PATIENCE = 120  # Seconds for a command.
OF_THE_CLIENT = ("certifi", "charset-normalizer", "idna", "requests", "urllib3")
"""What comes with `pip install openintent`."""


def run(*command: str | Path, **options: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout  # type: ignore[no-any-return]


def build_wheel(folder: Path) -> Path:
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install_wheel(wheel: Path, folder: Path, dependencies: Iterable[str] | None = None) -> Path:
    """Return a virtual environment with the wheel and those distributions, or with all that this environment has."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    run(sys.executable, "-m", "uv", "pip", "install", "--offline", "--no-deps", "--python", folder / "bin/python", wheel)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    ours = Path(sysconfig.get_path("purelib"))
    if dependencies is None:
        (packages / "dependencies.pth").write_text(str(ours))  # Whose own .pth files, of this checkout, are not read.
        return folder
    for name in {file.parts[0] for each in dependencies for file in distribution(each).files or () if file.parts[0] != ".."}:
        if name != "__pycache__":
            (packages / name).symlink_to(ours / name)
    return folder
