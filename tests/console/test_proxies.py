"""Attempts to sign in behind a proxy: whose address counts, and what happens where nobody named the proxy."""

import logging
import re
from http.cookies import SimpleCookie

import pytest
import requests
from django.test import Client

from console.sign_in import throttle
from core.serving import client_address
from tests.console.users import PASSWORD
from tests.databases import migrated_database
from tests.processes import ROOT
from tests.servers import Server

PROXY = "172.18.0.5"

pytestmark = [pytest.mark.case("security M4"), pytest.mark.usefixtures("quick_passwords"), pytest.mark.full]


@pytest.fixture(autouse=True)
def behind_tls(settings):
    settings.BEHIND_TLS = True
    client_address._warn_once.cache_clear()


def sign_in(name, password, *, client, peer=PROXY):
    """As the server in front of Django has it: the peer's address, and the header that the proxy sent."""
    return Client().post("/admin/login/", {"username": name, "password": password}, REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=client)


def is_throttled(response):
    return "Too many sign-in attempts" in response.content.decode()


def test_strangers_behind_a_proxy_nobody_named_lock_nobody_out(vera, caplog):
    """More than one address may try, and more than one account may be tried from one address."""
    with caplog.at_level(logging.WARNING, "openintent"):
        for number in range(throttle.NETWORK_LIMIT + 2):
            assert not is_throttled(sign_in(f"guess{number}", "a-guess", client=f"203.0.113.{number}"))
        for number in range(throttle.ACCOUNT_NETWORK_LIMIT + 2):
            assert not is_throttled(sign_in("vera", "a-guess", client=f"203.0.113.{number}"))

    assert sign_in("vera", PASSWORD, client="198.51.100.1").status_code == 302
    warned = [record.getMessage() for record in caplog.records if record.name == "openintent.proxy"]
    assert len(warned) == 1
    assert PROXY in warned[0]
    assert "FORWARDED_ALLOW_IPS" in warned[0]


def test_account_is_still_limited_behind_a_proxy_nobody_named(vera, monkeypatch):
    monkeypatch.setattr(throttle, "ACCOUNT_LIMIT", 12)
    for number in range(throttle.ACCOUNT_LIMIT):
        sign_in("vera", "a-guess", client=f"203.0.113.{number % 200}")

    assert is_throttled(sign_in("vera", PASSWORD, client="198.51.100.1"))


@pytest.mark.parametrize("forwarded", ["203.0.113.9", "203.0.113.9:4711", "10.1.1.1, 203.0.113.9", "[2001:db8::1]:80"])
def test_behind_a_trusted_proxy_the_clients_address_counts(vera, forwarded, caplog):
    """The server in front has put it in place of the peer's."""
    peer = "2001:db8::1" if "2001" in forwarded else "203.0.113.9"
    for _ in range(throttle.ACCOUNT_NETWORK_LIMIT):
        sign_in("vera", "a-guess", client=forwarded, peer=peer)

    assert is_throttled(sign_in("vera", "a-guess", client=forwarded, peer=peer))
    assert sign_in("vera", PASSWORD, client="198.51.100.1", peer="198.51.100.1").status_code == 302
    assert "openintent.proxy" not in [record.name for record in caplog.records]


@pytest.mark.parametrize(("trusted", "address"), [("127.0.0.0/8", "203.0.113.9"), ("10.0.0.0/8", "127.0.0.1")])
def test_server_believes_proxies_of_the_named_networks_alone(vendor, tmp_path, trusted, address):
    environment = {"OPENINTENT_BEHIND_TLS": "true", "FORWARDED_ALLOW_IPS": trusted, "OPENINTENT_DEV_MODE": ""}
    headers = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "6.6.6.6, 203.0.113.9",
    }  # What the client said, what the proxy saw.
    with Server(migrated_database(vendor, tmp_path), **environment) as server:
        form = requests.get(f"{server.url}/admin/login/", headers=headers, timeout=30)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
        cookies = "; ".join(f"{each.key}={each.value}" for each in SimpleCookie(form.headers["Set-Cookie"]).values())
        sent = {"username": "vera", "password": "a-guess", "csrfmiddlewaretoken": token[1]}
        origin = {"Cookie": cookies, "Referer": server.url.replace("http:", "https:")}
        requests.post(f"{server.url}/admin/login/", data=sent, headers={**headers, **origin}, timeout=30)
        log = "\n".join(server.log)

    assert f'"address":"{address}"' in log
    assert ("FORWARDED_ALLOW_IPS" in log) == (address == "127.0.0.1")


def test_compose_names_the_networks_of_containers():
    assert "FORWARDED_ALLOW_IPS: 10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7" in (ROOT / "compose.yaml").read_text()
