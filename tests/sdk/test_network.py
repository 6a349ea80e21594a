"""The way to the server: private certificates, proxies, path prefixes; the same for both clients."""

import datetime
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from openintent import ConnectionFailedError, InputValidationError

from .samples import INTENT

pytestmark = [pytest.mark.case("streams 24"), pytest.mark.database("sqlite")]

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a certificate of this machine that only its owner trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "intents.internal")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "intents.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture(scope="module")
def tls_url(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.handle_error = lambda *_: None
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_private_certificate_is_trusted_where_it_is_passed(connect, tls_url, certificate):
    assert connect(tls_url, ca_file=certificate).discover() == {}

    with pytest.raises(ConnectionFailedError, match=r"(?i)certificate.verify.failed"):
        connect(tls_url, max_tries=1).discover()


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_private_certificate_is_trusted_where_the_environment_names_it(connect, tls_url, certificate, monkeypatch, name):
    monkeypatch.setenv(name, str(certificate))

    assert connect(tls_url).discover() == {}


def test_missing_file_of_certificates_is_refused_at_once(connect, monkeypatch):
    with pytest.raises(InputValidationError, match="ca_file: there is no file /nowhere"):
        connect("https://intents.example", ca_file="/nowhere")

    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    with pytest.raises(InputValidationError, match="SSL_CERT_FILE"):
        connect("https://intents.example")


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_server_elsewhere_is_reached_through_the_proxy(connect, script, monkeypatch, name):
    monkeypatch.setenv(name, script.url)
    script.respond(INTENT)

    assert connect("http://intents.example:8000/oi").get_intent(INTENT["id"]).id == INTENT["id"]

    assert script.seen[0].target.endswith(f"/oi/api/v1/intents/{INTENT['id']}")
    assert script.seen[0].headers["Host"] == "intents.example:8000"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_reached_directly(connect, script, monkeypatch, host):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    script.respond(INTENT)

    assert connect(script.url.replace("127.0.0.1", host).replace("localhost", host)).get_intent(INTENT["id"])


def test_hosts_of_no_proxy_are_reached_directly(connect, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "intents.invalid")

    with pytest.raises(ConnectionFailedError) as caught:
        connect("http://intents.invalid", max_tries=1).discover()

    assert "proxy" not in str(caught.value).replace("NO_PROXY", "")


def test_error_names_the_proxy_without_its_password(connect, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://me:secret@127.0.0.1:1")

    with pytest.raises(ConnectionFailedError, match=r"no response from intents.example through the proxy 127.0.0.1:1") as caught:
        connect("http://intents.example", max_tries=1).discover()

    assert "secret" not in str(caught.value)
    assert caught.value.sent is False


@pytest.mark.parametrize("prefix", ["/oi", "/oi/", "/a/b/api/v1"])
def test_path_prefix_is_part_of_every_address(connect, script, prefix):
    script.respond(INTENT, {"server": {}})
    client = connect(script.url + prefix)

    client.get_intent(INTENT["id"])
    client.discover()

    root = prefix.removesuffix("/").removesuffix("/api/v1")
    assert [seen.target for seen in script.seen] == [
        f"{root}/api/v1/intents/{INTENT['id']}",
        f"{root}/.well-known/openintent.json",
    ]
