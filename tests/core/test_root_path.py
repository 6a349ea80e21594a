"""The server below a path of its site, behind proxies that cut the prefix off and that do not."""

import ast
import json
import os
import re
import socket
import threading
from contextlib import closing
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from openintent import OpenIntentClient
from websockets.sync.client import connect

from config.well_known import LINKS
from tests.databases import migrated_database
from tests.processes import ROOT, run
from tests.servers import Server

ROOT_PATH = "/oi"
KEY = {"X-API-Key": "dev-user-key"}
PATIENCE = 30

pytestmark = [pytest.mark.case("streams 47"), pytest.mark.full]


class Proxy:
    """Passes what is below ROOT_PATH on to a server, and answers 404 for the rest of its site."""

    def __init__(self, port: int, *, strips: bool) -> None:
        self.port, self.strips = port, strips
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.site = f"http://localhost:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                if not (part := client.recv(65_536)):
                    return
                head += part
            method, path, rest = head.split(b" ", 2)
            if path != b"/oi" and not path.startswith(b"/oi/"):
                client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            if self.strips:
                path = path.removeprefix(b"/oi") or b"/"
            if b"upgrade: websocket" not in head.lower():  # One request for each connection.
                rest = re.sub(rb"\r\nConnection: [^\r]*", b"", rest, flags=re.IGNORECASE).replace(
                    b"\r\n", b"\r\nConnection: close\r\n", 1
                )
            with socket.create_connection(("127.0.0.1", self.port)) as server:
                server.sendall(b" ".join((method, path, rest)))
                back = threading.Thread(target=_pipe, args=[server, client], daemon=True)
                back.start()
                _pipe(client, server)
                back.join(PATIENCE)


def _pipe(source: socket.socket, target: socket.socket) -> None:
    try:
        while part := source.recv(65_536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture(scope="module")
def below(vendor, tmp_path_factory):
    """A server that says it lies below ROOT_PATH."""
    database_url = migrated_database(vendor, tmp_path_factory.mktemp("below"))
    with Server(database_url, OPENINTENT_ROOT_PATH=f"{ROOT_PATH}/") as server:
        yield server


@pytest.fixture(params=[True, False], ids=["stripped", "passed on"])
def site(below, request):
    with closing(Proxy(int(below.url.rpartition(":")[2]), strips=request.param)) as proxy:
        yield proxy.site


@pytest.fixture
def client(site):
    with OpenIntentClient(site + ROOT_PATH, api_key="dev-user-key", agent_id="ada") as client:
        yield client


def get(url, **options):
    return requests.get(url, timeout=PATIENCE, **options)


def links(page):
    """The addresses on a page that belong to its site."""
    found = {
        unescape(link)
        for link in re.findall(r'(?:href|src|action)="([^"#]+)|data-[a-z-]+="(/[^"#]*)', page.text)
        for link in link
        if link
    }
    urls = {urljoin(page.url, link).partition("#")[0] for link in found if not link.startswith(("data:", "mailto:"))}
    return {url for url in urls if urlsplit(url).netloc == urlsplit(page.url).netloc}


# --- the API -----------------------------------------------------------------------------------------------------


def test_sdk_works_below_the_prefix(client, site):
    intent = client.create_intent(title="Do it")
    client.update_state(intent.id, intent.version, {"progress": 0.5})
    attachment = client.add_attachment(intent.id, "a.txt", "text/plain", content=b"all of it")

    assert client.get_intent(intent.id).state == {"progress": 0.5}
    assert attachment.url.startswith(f"{ROOT_PATH}/api/v1/")
    assert get(urljoin(site, attachment.url), headers=KEY).content == b"all of it"
    with client.stream(intent_id=intent.id, after=0) as stream:
        assert next(stream).intent_id == intent.id


def test_websocket_works_below_the_prefix(client, site):
    intent = client.create_intent(title="Do it")

    with connect(site.replace("http:", "ws:") + f"{ROOT_PATH}/ws/v1/events", additional_headers=KEY) as socket:
        socket.send(json.dumps({"type": "subscribe", "topics": [{"intent": intent.id}], "after": 0}))
        said = [json.loads(socket.recv(PATIENCE)) for _ in range(3)]

    assert "event" in [each["type"] for each in said]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("intents", {"title": "Do it"}),
        ("portfolios", {"name": "All of it"}),
        ("subscriptions", {"subscriber_id": "ada", "callback_url": "http://localhost:9/hook"}),
    ],
)
def test_location_of_what_is_made_leads_there(site, path, body):
    made = requests.post(f"{site}{ROOT_PATH}/api/v1/{path}", json=body, headers=KEY, timeout=PATIENCE)

    assert made.status_code == 201
    assert get(urljoin(made.url, made.headers["Location"]), headers=KEY).json()["id"] == made.json()["id"]


def test_documents_lead_to_each_other(site):
    discovery = get(f"{site}{ROOT_PATH}/.well-known/openintent.json")
    refused = get(f"{site}{ROOT_PATH}/api/v1/intents")
    document = get(urljoin(discovery.url, discovery.json()["links"]["openapi"])).json()

    assert all(get(urljoin(discovery.url, link)).status_code == 200 for link in discovery.json()["links"].values())
    assert get(urljoin(discovery.url, discovery.json()["api_base"] + "/intents"), headers=KEY).status_code == 200
    assert get(urljoin(refused.url, refused.json()["type"])).json()["code"] == "unauthenticated"
    assert document["servers"][0]["url"] == ROOT_PATH
    assert get(site + document["servers"][0]["url"] + "/api/v1/intents", headers=KEY).status_code == 200


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/docs", "/problems/not_found"])
def test_documentation_leads_nowhere_else(site, path):
    page = get(site + ROOT_PATH + path, headers={"Accept": "text/html"})

    assert page.status_code == 200
    assert {url: get(url).status_code for url in links(page)} == dict.fromkeys(links(page), 200)


@pytest.mark.parametrize(
    ("path", "leads"),
    [("", "/docs"), ("/", "/docs"), ("/admin", "/admin/"), ("/favicon.ico", "/static/console/icon.svg")],
)
def test_redirects_stay_below_the_prefix(site, path, leads):
    answer = get(site + ROOT_PATH + path, allow_redirects=False)

    assert (answer.status_code, answer.headers["Location"]) == (302, ROOT_PATH + leads)


def test_console_leads_nowhere_else(below, client, site):
    client.create_intent(title="Do it")
    outside = get(f"{site}{ROOT_PATH}/admin/", allow_redirects=False)
    assert outside.headers["Location"] == f"{ROOT_PATH}/admin/login/?next={ROOT_PATH}/admin/"

    with requests.Session() as browser:
        home = browser.get(urljoin(site, way_in(below)), timeout=PATIENCE)
        assert home.url == f"{site}{ROOT_PATH}/admin/"
        assert {cookie.path for cookie in browser.cookies} == {ROOT_PATH}
        pages = {url for url in links(home) if not re.search("logout|follow|panels|static", url)}
        read = {url: browser.get(url, timeout=PATIENCE) for url in sorted(pages)}
        found = set().union(*map(links, read.values()))
        static = {url: browser.get(url, timeout=PATIENCE).status_code for url in found if "/static/" in url}

    assert len(pages) > 15
    assert {url: page.status_code for url, page in read.items()} == dict.fromkeys(read, 200)
    assert static == dict.fromkeys(static, 200)
    assert [url for url in found if not urlsplit(url).path.startswith(f"{ROOT_PATH}/")] == []


def way_in(server):
    """The path of a new link for signing in, as the server prints it at its start."""
    environment = {"DATABASE_URL": server.database_url, "OPENINTENT_DEV_MODE": "true", "OPENINTENT_ROOT_PATH": ROOT_PATH}
    done = run(
        "config.manage",
        ["shell", "--no-imports", "-c", "from console.sign_in.links import create_dev_link as link; print(link())"],
        {**os.environ, **environment},
    )
    return done.stdout.strip()


def test_server_prints_where_it_is_found(below):
    said = "\n".join(below.log)

    for path in ("/api/v1", "/docs", "/admin/", "/admin/enter/?token="):
        assert re.search(rf"http://localhost:\d+{ROOT_PATH}{re.escape(path)}", said)


def test_cookies_behind_tls_are_taken_by_browsers(vendor, tmp_path):
    """A __Host- cookie has the path / by definition: browsers would drop it with another one."""
    environment = {"OPENINTENT_ROOT_PATH": ROOT_PATH, "OPENINTENT_BEHIND_TLS": "true"}
    with Server(migrated_database(vendor, tmp_path), **environment) as server:
        page = get(f"{server.url}{ROOT_PATH}/admin/login/", headers={"X-Forwarded-Proto": "https"})

    assert page.headers["Set-Cookie"].startswith("__Secure-openintent-csrf=")
    assert f"Path={ROOT_PATH};" in page.headers["Set-Cookie"]
    assert "Secure" in page.headers["Set-Cookie"]


# --- the code --------------------------------------------------------------------------------------------------------


OF_THE_SITE = re.compile(r"/(api/|admin|docs|static/|problems/|openapi\.json|\.well-known/|ws/)")
INSIDE = {
    "core/log_filters.py": "compares paths that came in",
    "core/middleware.py": "compares paths that came in",
    "core/serving/wsgi_handler.py": "compares paths that came in",
    "config/asgi.py": "compares paths that came in",
    "access/body_limits.py": "compares paths that came in",
    "config/server.py": "prints them below its base",
    "console/theme.py": "has it from core.env, as settings are not there yet",
    "governance/long_polling.py": "compares paths that came in",
    "subscriptions/streams/sse.py": "compares paths that came in",
    "core/openapi_schema.py": "compares paths of the description",
    "core/openapi_components.py": "shows an example",
    "doors/operations.py": "names paths of requests within the process",
    "doors/mcp_server.py": "says them by Door.page",
    "doors/question_results.py": "says them by Door.page",
    "config/settings.py": "says what the description's paths are below",
}
"""Files that name paths of the server for themselves, and why."""


def spoken(tree):
    """The texts of a module that are no argument of `public_path` and no docstring."""
    public = {id(each) for call in ast.walk(tree) if isinstance(call, ast.Call) for each in ast.walk(call) if _is_public(call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in public:
            yield node.value


def _is_public(call):
    return getattr(call.func, "id", "") == "public_path"


def test_code_says_no_path_of_the_site_without_its_prefix():
    apps = [path.parent for path in ROOT.glob("*/apps.py")] + [ROOT / "config"]
    found = {}
    for path in (path for app in apps for path in app.rglob("*.py") if "migrations" not in path.parts):
        name = str(path.relative_to(ROOT))
        wrong = [text for text in spoken(ast.parse(path.read_text())) if OF_THE_SITE.match(text) and " " not in text]
        if wrong and name not in INSIDE:
            found[name] = wrong

    assert found == {"config/well_known.py": [*LINKS.values()]}  # Which are said with public_path.


def test_templates_and_scripts_say_no_path_of_the_site_without_its_prefix():
    templates = (ROOT / "templates").rglob("*.html")
    scripts = [
        path for path in (ROOT / "console/static").rglob("*.js") if "vendor" not in path.parts and "bundle" not in path.name
    ]
    said = re.compile(
        r"""(?:(?:href|src|action|data-[a-z-]+)=["']|["'`])(/(?:api|admin|docs|static|problems|openapi|ws)\b[^"'`]*)"""
    )

    assert {str(path): said.findall(path.read_text()) for path in [*templates, *scripts] if said.search(path.read_text())} == {}
