"""`make` on a machine that has never seen the project: from the locks, whatever has been released since, with the pip that comes with Python."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.locks import OF_LOCKS, locked, make_wheel, needed, project_requirements
from tests.processes import ROOT
from tests.wheels import run

pytestmark = pytest.mark.full


OLDEST_PIP = "22.3"  # Of Python 3.11.0.
ENVIRONMENTS = [
    {"python_version": version, "python_full_version": f"{version}.0", "sys_platform": platform, "os_name": os_name}
    for version in ("3.11", "3.12", "3.13")
    for platform, os_name in (("linux", "posix"), ("darwin", "posix"), ("win32", "nt"))
]
BACKEND = """
import base64, hashlib, pathlib, zipfile

def build_editable(folder, settings=None, metadata=None):
    name = "project-1-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as archive:
        archive.writestr("project-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: project\\nVersion: 1\\n")
        archive.writestr("project-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        archive.writestr("project-1.dist-info/RECORD", "")
    return name
"""


# --- what they hold --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda each: f"{each['python_version']}-{each['sys_platform']}")
@pytest.mark.parametrize("lock", OF_LOCKS)
def test_lock_has_all_that_is_needed(lock, environment):
    """They are installed without resolving, which would not miss anything."""
    pinned = locked(lock, environment)
    found = needed(project_requirements(OF_LOCKS[lock], ["build"]), environment)

    assert found.keys() - pinned.keys() == set()
    wrong = {name: str(each) for name, all_of_it in found.items() for each in all_of_it if pinned[name] not in each.specifier}
    assert wrong == {}


def test_both_locks_agree():
    server, dev = locked("server"), locked("dev")

    assert server.items() <= dev.items()


# --- how they are installed ------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path):
    """A project of two small packages, with the Makefile of this one; a newer release of one of them has come since the lock."""
    folder, index = tmp_path / "checkout", tmp_path / "index"
    (folder / "requirements").mkdir(parents=True)
    index.mkdir()
    pins = {
        "first==1.0": make_wheel(index, "first", "1.0", ["second[more]>=1.0"]),
        "second==1.0": make_wheel(index, "second", "1.0"),
    }
    make_wheel(index, "second", "2.0")
    text = "".join(f"{pin} \\\n    --hash=sha256:{digest}\n" for pin, digest in pins.items())
    for name in ("server", "dev"):
        (folder / f"requirements/{name}.txt").write_text(text)
    (folder / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n')
    (folder / "backend.py").write_text(BACKEND)
    shutil.copy(ROOT / "Makefile", folder)
    return folder


def make(checkout, *arguments, **environment):
    bare = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(checkout.parent / "index"), "HOME": str(checkout.parent)}
    return subprocess.run(
        ["make", f"PYTHON={sys.executable}", *arguments],
        cwd=checkout,
        env={**bare, **offline, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_newer_release_of_what_is_locked_breaks_no_install(checkout):
    done = make(checkout, ".venv/.dev")

    assert done.returncode == 0, done.stderr
    versions = "import first, second; print(first.version, second.version)"
    assert run(checkout / ".venv/bin/python", "-c", versions) == "1.0 1.0\n"
    assert re.search(r"^Installing .* into \.venv: .*, once\.", done.stdout, re.MULTILINE)
    assert make(checkout, ".venv/.dev").stdout == "make: '.venv/.dev' is up to date.\n"


def test_install_that_resolves_would_be_broken_by_it(checkout):
    """Counterpart of the test above: without --no-deps it would fail."""
    makefile = checkout / "Makefile"
    makefile.write_text(makefile.read_text().replace(" --no-deps", ""))

    done = make(checkout, ".venv/.dev")

    assert done.returncode != 0
    assert "In --require-hashes mode, all requirements must have their versions pinned" in done.stderr
    assert not (checkout / ".venv/.dev").exists()


def old_python(folder):
    """A Python that says it is 3.9."""
    path = folder / "python3.9"
    told = 'import sys; sys.version_info = (3, 9, 18); sys.version = "3.9.18 (main)"; exec(sys.argv[1])'
    path.write_text(f"#!/bin/sh\nshift\nexec {sys.executable} -c '{told}' \"$@\"\n")
    path.chmod(0o755)
    return path


def python_without_venv(folder):
    """As Debian has it without python3-venv: the folder is made, and there is no pip to put into it."""
    path = folder / "python3"
    path.write_text(
        f'#!/bin/sh\nexec {sys.executable} -c "import sys; sys.modules[\'ensurepip\'] = None; exec(sys.argv[1])" "$2"\n'
    )
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("python", "says"),
    [
        (old_python, "OpenIntent needs Python 3.11 or newer; this is 3.9.18. Choose one: make PYTHON=python3.12"),
        (python_without_venv, "apt install python3-venv"),
        (lambda folder: folder / "nothing", "there is no "),
    ],
)
def test_machine_that_lacks_something_says_what(checkout, python, says):
    done = make(checkout, f"PYTHON={python(checkout.parent)}", "run")

    assert done.returncode != 0
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (checkout / ".venv/bin").exists()


def test_oldest_pip_installs_both_lock_files_despite_newer_releases(tmp_path):
    index, checkout = tmp_path / "index", tmp_path / "checkout"
    index.mkdir()
    for name in ("google_auth", "urllib3", "requests", "anyio", "typing_extensions"):
        make_wheel(index, name, "999.0")
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", "*.db*", "site"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment |= {"HOME": str(tmp_path), "PIP_CACHE_DIR": str(tmp_path / "cache")}
    run(sys.executable, "-m", "venv", checkout / ".venv", env=environment)
    run(checkout / ".venv/bin/python", "-m", "pip", "install", f"pip=={OLDEST_PIP}", env=environment)

    done = subprocess.run(
        ["make", ".venv/.dev"],
        cwd=checkout,
        env={**environment, "PIP_FIND_LINKS": str(index)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    python = checkout / ".venv/bin/python"
    assert f"pip {OLDEST_PIP} " in run(python, "-m", "pip", "--version")
    assert "999.0" not in run(python, "-m", "pip", "list")
    assert run(python, "-m", "pip", "check") == "No broken requirements found.\n"
    assert "openintent" in run(checkout / ".venv/bin/openintent-server", "--version", cwd=tmp_path)
