"""Address policy of webhooks (rule W-3). The resolver is a fake, and no address here is called."""

import socket
import threading
import time
from ipaddress import IPv6Address

import pytest

from subscriptions.models import Subscription
from subscriptions.webhooks import address_policy, client
from subscriptions.webhooks.delivery_worker import deliver_all_due
from tests.conftest import log
from tests.subscriptions.webhook_receivers import comment, deliveries, subscribe

pytestmark = pytest.mark.rule("W-3")

REFUSED = {
    "loopback": ["127.0.0.1", "127.8.9.10", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost", "LOCALHOST", "localhost.",
                 "api.localhost", "api.localhost."],
    "unspecified": ["0.0.0.0", "0.1.2.3", "[::]", "0"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "[fd00::1]", "[fc00::1]", "[::ffff:10.0.0.1]"],
    "link-local": ["169.254.169.254", "[fe80::1]", "[febf::1]"],
    "site-local": ["[fec0::1]", "[feff::1]"],
    "shared": ["100.64.0.1", "100.127.255.254"],
    "multicast": ["224.0.0.1", "239.255.255.250", "[ff02::1]", "[ff0e::1]"],
    "reserved": ["240.0.0.1", "255.255.255.255", "192.0.0.8", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.88.99.1"],
    "IPv6 that wraps IPv4": ["[::7f00:1]", "[::10.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]",
                             "[2002:a00:1::1]", "[2001:0:7f00:1::]", "[2001::1]"],
    "special IPv6": ["[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[100::1]", "[2001:20::1]", "[4000::1]", "[e000::1]"],
    "decimal": ["2130706433", "3232235777", "167772161", "2852039166"],
    "octal": ["0177.0.0.1", "0177.0.0.01", "017700000001", "0300.0250.1.1", "0251.0376.0251.0376"],
    "hexadecimal": ["0x7f.0.0.1", "0x7f000001", "0xa9fea9fe", "0x7f.1", "0xC0.0xA8.1.1"],
    "shortened": ["127.1", "127.0.1", "10.1", "192.168.257"],
}  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "[2606:4700:4700::1111]", "[::ffff:8.8.8.8]", "134744072", "0x08080808"]


@pytest.fixture
def no_dev_mode(monkeypatch):
    """Settings of webhooks."""

    class Settings:
        WEBHOOK_ALLOW_PRIVATE = False
        DEV_MODE = False

    monkeypatch.setattr(address_policy, "settings", Settings)
    return Settings


@pytest.fixture
def names(monkeypatch):
    """`names["a.example"] = ["8.8.8.8", …]`: what the resolver answers, one list after the other, the last one for ever."""
    known: dict[str, list[list[str]]] = {}

    def getaddrinfo(name, port, *args, **kwargs):
        answers = known.get(name)
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        families = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in found]
        return [(family, socket.SOCK_STREAM, 6, "", (each, port or 0)) for family, each in zip(families, found, strict=True)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


@pytest.fixture
def no_dialling(monkeypatch):
    """The addresses that were about to be connected to: there should be none but those that a test allows."""
    dialled = []

    def create_connection(address, *args, **kwargs):
        dialled.append(address[0])
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr("urllib3.util.connection.create_connection", create_connection)
    return dialled


@pytest.mark.parametrize("host", [host for hosts in REFUSED.values() for host in hosts])
def test_special_addresses_are_refused_in_every_spelling(no_dev_mode, no_dialling, host):
    assert address_policy.callback_problem(f"http://{host}/hook")
    assert address_policy.callback_problem(f"https://{host}:8443/hook")
    assert client.call(f"http://{host}/hook", b"{}", {}).error == address_policy.REFUSED
    assert no_dialling == []


@pytest.mark.parametrize("host", PUBLIC)
def test_public_addresses_are_called(no_dev_mode, no_dialling, host):
    assert address_policy.callback_problem(f"http://{host}/hook") is None
    assert client.call(f"http://{host}/hook", b"{}", {}).error == "the connection was refused"
    assert len(no_dialling) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "127.1", "[::ffff:127.0.0.1]"])
def test_dev_mode_allows_this_machine_and_nothing_else(no_dev_mode, host):
    no_dev_mode.DEV_MODE = True

    assert address_policy.callback_problem(f"http://{host}/") is None
    assert address_policy.callback_problem("http://10.0.0.1/")
    assert address_policy.callback_problem("http://169.254.169.254/")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.0.0.1", "100.64.0.1", "[fec0::1]", "[fd00::1]", "[64:ff9b::a00:1]", "localhost"]
)
def test_a_setting_allows_private_addresses(no_dev_mode, no_dialling, names, host):
    no_dev_mode.WEBHOOK_ALLOW_PRIVATE = True

    assert address_policy.callback_problem(f"http://{host}/") is None
    assert client.call(f"http://{host}/", b"{}", {}).error == "the connection was refused"
    assert len(no_dialling) == 1


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "0x0a.1", "[fd00::1]", "[2B78b4DF]", "[1::2::3]", "[127.0.0.1]", "inside.example", "both.example"]
)
def test_callback_to_an_internal_address_is_refused_without_a_trace(api, make_intent, names, host):
    names["inside.example"] = [["192.168.0.7"]]
    names["both.example"] = [["8.8.8.8", "fd00::7"]]
    intent = make_intent()
    before = log(api, intent)

    for path in (f"/intents/{intent['id']}/subscriptions", "/subscriptions"):
        answer = api.post(path, {"callback_url": f"http://{host}/hook"}, idempotency_key=f"key {path}")
        assert (answer.status_code, answer.json()["code"]) == (400, "callback_not_allowed")

    assert not Subscription.objects.exists()
    assert log(api, intent) == before


def test_a_callback_is_judged_when_it_is_changed(api, make_intent, names):
    names["inside.example"] = [["192.168.0.7"]]
    subscription = subscribe(api, make_intent(), "http://later.example/hook")

    answer = api.patch(f"/subscriptions/{subscription['id']}", {"webhook_url": "http://inside.example/hook"})

    assert (answer.status_code, answer.json()["code"]) == (400, "callback_not_allowed")
    assert Subscription.objects.get().callback_url == "http://later.example/hook"


def test_a_name_that_does_not_resolve_is_accepted_and_judged_at_delivery(api, make_intent, names, no_dialling):
    intent = make_intent()
    subscription = subscribe(api, intent, "http://later.example/hook")
    comment(api, intent)
    deliver_all_due()
    names["later.example"] = [["192.168.0.7"]]
    comment(api, intent)
    deliver_all_due()

    assert [each["history"][0]["error"] for each in deliveries(api, subscription)] == [
        address_policy.UNRESOLVED,
        address_policy.REFUSED,
    ]
    assert {each["status"] for each in deliveries(api, subscription)} == {"pending"}
    assert no_dialling == []


METADATA = [
    "169.254.169.254", "169.254.1.1", "[fe80::1]", "168.63.129.16", "100.100.100.200", "192.0.0.192", "[fd00:ec2::254]",
    "[fd00:ec2::23]", "[fd20:ce::254]", "[::ffff:169.254.169.254]", "[::169.254.169.254]", "[64:ff9b::169.254.169.254]",
    "[64:ff9b::a83f:8110]", "[2002:a9fe:a9fe::1]", "2852039166", "0xa9.0xfe.0xa9.0xfe", "168.4161808",
]  # fmt: skip


@pytest.mark.case("security metadata")
@pytest.mark.parametrize("allows_private", [False, True])
@pytest.mark.parametrize("host", METADATA)
def test_link_local_and_metadata_addresses_are_always_blocked(no_dev_mode, no_dialling, names, host, allows_private):
    no_dev_mode.WEBHOOK_ALLOW_PRIVATE = allows_private
    no_dev_mode.DEV_MODE = True
    names["metadata.example"] = [[host.strip("[]")]]

    assert address_policy.callback_problem(f"http://{host}/") == address_policy.REFUSED
    assert client.call(f"http://{host}/", b"{}", {}).error == address_policy.REFUSED
    if ":" in host or (host.count(".") == 3 and not host.startswith("0x")):
        assert address_policy.callback_problem("http://metadata.example/") == address_policy.REFUSED
        assert client.call("http://metadata.example/", b"{}", {}).error == address_policy.REFUSED
    assert no_dialling == []


@pytest.mark.parametrize(
    "inside", ["192.168.0.7", "169.254.169.254", "fec0::1", "fd00::1", "2002:7f00:1::", "100.64.0.1", "127.0.0.1"]
)
def test_a_name_that_is_public_at_first_and_private_later_is_refused(no_dev_mode, no_dialling, names, inside):
    names["turns.example"] = [["8.8.8.8"], [inside]]
    assert address_policy.callback_problem("http://turns.example/hook") is None

    assert client.call("http://turns.example/hook", b"{}", {}).error == address_policy.REFUSED
    assert no_dialling == []


def test_connection_uses_the_checked_address(no_dev_mode, no_dialling, names):
    names["turns.example"] = [["8.8.8.8"], ["10.0.0.1"]]

    client.call("http://turns.example/hook", b"{}", {})

    assert no_dialling == ["8.8.8.8"]


def test_each_address_of_a_name_is_tried_in_turn(no_dev_mode, no_dialling, names):
    names["many.example"] = [["2606:4700:4700::1111", "8.8.8.8", "8.8.8.8"]]

    assert client.call("https://many.example/hook", b"{}", {}).error == "the connection was refused"
    assert no_dialling == ["2606:4700:4700::1111", "8.8.8.8"]


@pytest.fixture
def hanging_resolver(monkeypatch):
    """The names that were asked for; no answer comes before the test's end."""
    goes_on, asked = threading.Event(), []

    def getaddrinfo(name, *_, **__):
        asked.append(name)
        goes_on.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield asked
    goes_on.set()


@pytest.mark.case("security L11")
def test_a_resolver_that_hangs_delays_no_call_for_long(monkeypatch, hanging_resolver):
    monkeypatch.setattr(client, "LOOKUP_TIMEOUT", 0.1)

    assert client.call("http://slow.example/", b"{}", {}).error == address_policy.UNRESOLVED


@pytest.mark.case("security L11")
def test_unresolved_name_is_accepted_and_few_requests_wait_for_it(api, make_intent, monkeypatch, hanging_resolver):
    assert subscribe(api, make_intent(), "http://slow.example/hook")["status"] == "active"

    monkeypatch.setattr(address_policy, "REQUEST_LOOKUP_TIMEOUT", 30.0)
    waiting = [
        threading.Thread(target=address_policy.callback_problem, args=["http://slow.example/"])
        for _ in range(address_policy.MAX_WAITING_REQUESTS)
    ]
    for each in waiting:
        each.daemon = True
        each.start()
    while len(hanging_resolver) < 1 + len(waiting):
        time.sleep(0.01)

    for number in range(20):  # None of these waits: the test would take ten minutes.
        assert subscribe(api, make_intent(), f"http://slow{number}.example/hook")["status"] == "active"
    assert len(hanging_resolver) == 1 + len(waiting)
    assert all(each.is_alive() for each in waiting)


@pytest.mark.case("security L11")
def test_names_of_requests_that_hang_leave_calls_their_lookups(monkeypatch, hanging_resolver):
    monkeypatch.setattr(address_policy, "REQUEST_LOOKUP_TIMEOUT", 0.01)
    for _ in range(address_policy.LOOKUPS_OF_REQUESTS + 5):
        address_policy.callback_problem("http://slow.example/")
    assert len(hanging_resolver) == address_policy.LOOKUPS_OF_REQUESTS
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("10.0.0.1", 0))])

    assert client.call("http://quick.example/", b"{}", {}).error == address_policy.REFUSED


@pytest.mark.parametrize("name", ["a" * 63 + ".example", "xn--.example", "a..b", "."])
def test_a_name_that_cannot_be_one_is_not_resolved(no_dev_mode, name):
    assert client.call(f"http://{name}/", b"{}", {}).error is not None


def test_every_address_of_ipv6_outside_the_internets_own_part_is_special():
    for first in range(0x10000):
        if not 0x2000 <= first <= 0x3FFF:
            assert not address_policy.is_public(IPv6Address((first << 112) + 0x1234567))
