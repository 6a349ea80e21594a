"""Streams through a proxy that compresses and buffers what it passes on (rules S-1, S-6)."""

import shutil
import socket
import subprocess
import zlib
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.servers import Server
from tests.subscriptions.stream_readers import Stream, answered
from tests.system.concurrent_clients import PATIENCE, Http, until

NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
pytestmark = [pytest.mark.skipif(not NGINX, reason="needs nginx (Debian: apt-get install nginx-light)"), pytest.mark.full]

CONFIGURATION = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  gzip on; gzip_types *; gzip_min_length 0; gzip_proxied any; proxy_buffering on; proxy_buffers 8 64k; proxy_cache_path {folder}/cache keys_zone=all:1m;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass {url}; proxy_http_version {version}; proxy_cache all; proxy_cache_valid any 1h; }}
  }}
}}
"""


@pytest.fixture(params=["1.0", "1.1"])
def proxy(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Iterator[str]:
    """The address of an nginx that speaks this version of HTTP to the server, and compresses, buffers and caches all that it may."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "nginx.conf").write_text(CONFIGURATION.format(folder=tmp_path, port=port, url=server.url, version=request.param))
    process = subprocess.Popen([str(NGINX), "-p", tmp_path, "-c", tmp_path / "nginx.conf"], stderr=subprocess.DEVNULL)
    try:
        until(lambda: _listens(port), "nginx")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


class _Unpacked:
    """Compressed response, decompressed line by line."""

    def __init__(self, response: HTTPResponse) -> None:
        self.headers = response.headers
        self._response = response
        self._unpack = zlib.decompressobj(wbits=31)
        self._rest = b""

    def readline(self) -> bytes:
        while b"\n" not in self._rest:
            part = self._response.read1(2**16)
            assert part, "the stream has ended"
            self._rest += self._unpack.decompress(part)
        line, _, self._rest = self._rest.partition(b"\n")
        return line + b"\n"


def _listens(port: int) -> bool:
    with socket.socket() as trying:
        return trying.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.rule("S-1", "S-6")
def test_each_event_passes_a_compressing_proxy_before_the_next_one(server: Server, proxy: str) -> None:
    behind = cast(Server, SimpleNamespace(url=proxy))
    with Http(server) as client:
        intent = client.create()["id"]
        key = client.post("/keys", {"name": "behind", "role": "observer"}).body["key"]
        with answered(behind, f"/intents/{intent}/subscribe", key=key, accept_encoding="gzip") as response:
            assert (response.status, response.headers["Content-Encoding"]) == (200, "gzip")  # nginx heeds no no-transform.
            stream = Stream(cast(HTTPResponse, _Unpacked(response)))
            first = stream.next()
            assert first
            assert first.event == "connected"
            for number in range(5):
                event = {"event_type": "comment", "payload": {"number": number}}
                written = client.post(f"/intents/{intent}/events", event).body
                assert stream.event()["id"] == written["id"]
