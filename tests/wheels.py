"""The wheel, and virtual environments into which it is installed as users install it. No network is needed."""

import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.processes import ROOT

PATIENCE = 120  # Seconds for a command.
OF_THE_CLIENT = ("certifi", "charset_normalizer", "idna", "requests", "urllib3")
"""What comes with `pip install openintent`."""


def run(*command: str | Path, **options: object) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout  # type: ignore[no-any-return]


def build_wheel(folder: Path) -> Path:
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


def install_wheel(wheel: Path, folder: Path, *, with_extras: bool = True) -> Path:
    """Return a virtual environment with the wheel and its dependencies, or with those of the client alone."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    run(sys.executable, "-m", "uv", "pip", "install", "--offline", "--no-deps", "--python", folder / "bin/python", wheel)
    (packages,) = (folder / "lib").glob("python*/site-packages")
    ours = Path(sysconfig.get_path("purelib"))
    if with_extras:
        (packages / "dependencies.pth").write_text(str(ours))  # Whose own .pth files, of this checkout, are not read.
        return folder
    for name in OF_THE_CLIENT:
        for path in [ours / name, *ours.glob(f"{name}-*.dist-info")]:
            (packages / path.name).symlink_to(path)
    return folder
