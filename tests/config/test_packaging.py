"""The distribution: what it puts on whose path, and how its commands get on with the projects of their users."""

import os
import subprocess
import tomllib
import zipfile

import pytest
import requests
from django.conf import settings
from hatchling.build import build_editable

from tests.databases import fresh_database
from tests.processes import ROOT
from tests.servers import Server
from tests.wheels import OF_THE_CLIENT, install_wheel

pytestmark = pytest.mark.full


KEY = {"X-API-Key": "dev-user-key"}
PACKAGES = {app for app in settings.INSTALLED_APPS if (ROOT / app).is_dir()} | {"config", "templates"}


@pytest.fixture(scope="module")
def client_only(wheel, tmp_path_factory):
    """A virtual environment with the wheel and no extra."""
    return install_wheel(wheel, tmp_path_factory.mktemp("client") / "venv", OF_THE_CLIENT)


@pytest.fixture
def project(tmp_path):
    """A user's folder, whose modules have the names of the server's, and whose settings must not be read."""
    folder = tmp_path / "project"
    (folder / "mysite").mkdir(parents=True)
    (folder / "mysite/__init__.py").touch()
    (folder / "mysite/settings.py").write_text("raise SystemExit('the settings of mysite were read')\n")
    for name in sorted(PACKAGES - {"config"}):
        (folder / f"{name}.py").write_text(f"raise SystemExit('{name} of the project was imported')\n")
    (folder / "config.py").write_text("PORT = 0\n")
    return folder


def surrounded(project, **more):
    """The environment of a program of that project."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("OPENINTENT_")}
    return {**bare, "DJANGO_SETTINGS_MODULE": "mysite.settings", "PYTHONPATH": str(project), **more}


def run(venv, *command, cwd, **environment):
    return subprocess.run(
        [venv / "bin" / command[0], *command[1:]], cwd=cwd, env=surrounded(cwd, **environment), capture_output=True, text=True
    )


class Installed(Server):
    """A server of an installation, started in a project's folder."""

    def __init__(self, venv, folder, *command, database_url, **environment):
        super().__init__(database_url, **environment)
        self.venv, self.folder, self.command = venv, folder, command

    def _begin(self, program):
        environment = surrounded(self.folder, DATABASE_URL=self.database_url, OPENINTENT_PORT="0", **self.environment)
        command = [self.venv / "bin" / self.command[0], *self.command[1:]]
        return subprocess.Popen(command, cwd=self.folder, env=environment, stderr=subprocess.PIPE, text=True)


def serves(server):
    made = requests.post(f"{server.api}/intents", json={"title": "Do it"}, headers=KEY, timeout=10)
    pages = [requests.get(server.url + path, timeout=10).status_code for path in ("/docs", "/admin/login/", "/readyz")]
    return (made.status_code, *pages) == (201, 200, 200, 200)


# --- what it consists of ---------------------------------------------------------------------------------------------


@pytest.mark.case("streams 20")
def test_wheel_has_two_names_at_its_top(wheel):
    with zipfile.ZipFile(wheel) as archive:
        top = {name.partition("/")[0] for name in archive.namelist()}

    assert {name for name in top if not name.endswith(".dist-info")} == {"openintent", "openintent_server"}


def test_wheel_has_every_file_of_the_server(wheel):
    with zipfile.ZipFile(wheel) as archive:
        packed = {name.removeprefix("openintent_server/") for name in archive.namelist()}

    files = {path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()}
    wanted = {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}
    assert wanted
    assert wanted - packed == set()


@pytest.mark.case("streams 20")
def test_editable_install_puts_no_server_package_on_the_path(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    with zipfile.ZipFile(tmp_path / build_editable(str(tmp_path))) as archive:
        (added,) = [archive.read(name).decode().split() for name in archive.namelist() if name.endswith(".pth")]

    assert added == [str(ROOT / "sdk")]
    assert {path.parent.name for path in (ROOT / "sdk").glob("*/__init__.py")} == {"openintent", "openintent_server"}


def test_version_is_above_the_other_distribution_of_that_name(wheel):
    version = wheel.name.split("-")[1]

    assert tuple(map(int, version.split("."))) > (0, 17)


def test_hints_of_the_code_install_what_the_extras_say():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    hints = {"sdk/openintent/_httpx2.py": "async", "sdk/openintent/cli/__init__.py": "cli", "core/env.py": "redis"}
    hints["attachments/storage.py"] = "s3"

    for file, extra in hints.items():
        assert "pip install " + " ".join(f"'{each}'" for each in extras[extra]) in (ROOT / file).read_text(), file


# --- beside the modules of its user ----------------------------------------------------------------------------------


@pytest.mark.case("streams 20")
@pytest.mark.case("streams 26")
def test_server_runs_in_a_project_with_modules_and_settings_of_its_own(installed, project, vendor, tmp_path):
    workers = "2" if vendor == "postgresql" else "1"
    database_url = fresh_database(vendor, tmp_path)

    with Installed(
        installed, project, "openintent-server", "--workers", workers, database_url=database_url, OPENINTENT_DEV_MODE="true"
    ) as server:
        assert serves(server)
        assert server.stop() == 0


@pytest.mark.case("streams 20")
@pytest.mark.case("streams 26")
@pytest.mark.parametrize("command", [["check"], ["createkey", "ops", "--role", "operator"], ["makemigrations", "--check"]])
def test_commands_run_in_a_project_with_modules_and_settings_of_its_own(installed, project, command):
    database = {"DATABASE_URL": f"sqlite:///{project}/oi.db"}
    run(installed, "openintent-manage", "migrate", cwd=project, **database)

    done = run(installed, "openintent-manage", *command, cwd=project, **database)

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


PROGRAM = """
from openintent.server import OpenIntentServer
{line}
server = OpenIntentServer(port=0, database_url="sqlite:///./my-intents.db")
server.run()
"""


@pytest.mark.case("streams 20")
@pytest.mark.case("streams 26")
def test_program_beside_modules_of_those_names_runs_the_server(installed, project, tmp_path):
    (project / "program.py").write_text(PROGRAM.format(line=""))

    with Installed(installed, project, "python", "program.py", database_url=f"sqlite:///{tmp_path}/a.db") as server:
        assert serves(server)
        assert server.stop() == 0


@pytest.mark.case("streams 20")
def test_program_that_has_a_config_of_its_own_keeps_it_and_is_told(installed, project):
    (project / "program.py").write_text(PROGRAM.format(line="import config; print(config.PORT, flush=True)"))

    done = run(installed, "python", "program.py", cwd=project)

    assert (done.returncode, done.stdout) == (1, "0\n")
    told = done.stderr.splitlines()[-1]
    assert f"config ({project / 'config.py'})" in told
    assert "process of its own: openintent-server" in told
    assert not (project / "my-intents.db").exists()


@pytest.mark.case("streams 26")
def test_program_that_has_django_settings_of_its_own_is_told(installed, project):
    (project / "program.py").write_text(PROGRAM.format(line="from django.conf import settings; settings.configure()"))

    done = run(installed, "python", "program.py", cwd=project)

    assert done.returncode == 1
    assert "separate process: openintent-server" in done.stderr.splitlines()[-1]
    assert not (project / "my-intents.db").exists()


# --- without the extras ----------------------------------------------------------------------------------------------


@pytest.mark.case("streams 48")
@pytest.mark.parametrize("command", ["openintent-server", "openintent-manage"])
def test_without_the_extra_a_command_says_what_to_install(client_only, tmp_path, command):
    done = run(client_only, command, "--help", cwd=tmp_path)

    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{command}: The OpenIntent server needs more packages (")
    assert all(name in line for name in ("django-environ", "uvicorn", "pip install '.[server]'"))


@pytest.mark.case("streams 48")
@pytest.mark.parametrize("missing", ["django", "django-environ", "whitenoise"])
def test_missing_package_is_named(installed, tmp_path, missing):
    """One package may be missing, after it was uninstalled."""
    program = (
        "import sys, importlib.metadata as metadata, openintent_server; found = metadata.distribution\n"
        f"openintent_server.distribution = lambda name: found(name if name != '{missing}' else 'nothing-of-that-name')\n"
        "openintent_server.serve()"
    )

    done = run(installed, "python", "-c", program, cwd=tmp_path)

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"needs more packages ({missing})" in done.stderr


@pytest.mark.case("streams 48")
def test_client_alone_gives_all_its_names(client_only, tmp_path):
    done = run(client_only, "python", "-c", "from openintent import *; print(OpenIntentClient, Agent, webhooks)", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


def test_client_alone_says_what_the_server_needs(client_only, tmp_path):
    done = run(client_only, "python", "-c", "from openintent.server import OpenIntentServer", cwd=tmp_path)

    assert done.stderr.splitlines()[-1].startswith("ImportError: The OpenIntent server needs more packages (")
