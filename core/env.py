"""The environment: every variable the server reads, checked here (docs/reference/settings.md lists them)."""

import ipaddress
import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

DEV_DATABASE = "sqlite:///./openintent.db"
MIN_KEY_LENGTH = 16
MIN_KEY_CHARACTERS = 5  # Different ones: of 16 random hexadecimal digits fewer are there once in two million times.
WELL_KNOWN_KEYS = {
    "dev-user-key", "agent-research-key", "agent-synth-key", "my-secret-key", "agent-key", "your-api-key", "your-api-key-here",
    "your-secret-key", "my-secret-api-key", "my-api-key-12345", "super-secret-key", "openintent-api-key", "openintent-key-1",
    "change-me-please", "change-me-change-me", "changemechangeme", "changeme12345678", "correct-horse-battery-staple",
    "test-api-key-123", "test-key-test-key", "secret-key-12345", "operator-secret-key", "0123456789abcdef", "1234567890123456",
    "1234567890abcdef", "abcdefghijklmnop", "passwordpassword", "password12345678", "qwertyuiopasdfgh",
}  # fmt: skip
"""Keys of dev mode, placeholders of documents, and what people type instead of a random one."""

OWN_PATHS = {"admin", "api", "docs", "favicon.ico", "healthz", "openapi.json", "problems", "readyz", "static", "ws"}
"""First parts of the server's own paths: below a prefix of that name nobody could say whether a proxy has cut it off."""

SCHEMES = "sqlite:///relative/or//absolute.db or postgresql://user:password@host:5432/name"


def flag(name: str, default: bool) -> bool:
    value = env.str(name, default="")
    if not value:
        return default
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off"):
        return False
    raise ImproperlyConfigured(f"{name}={value!r} cannot be used. Say true or false.")


def number(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    value = env.str(name, default="")
    if not value:
        return default
    if not (value.isascii() and value.isdecimal()) or int(value) < least or (most is not None and int(value) > most):
        accepted = f"of {least} or more" if most is None else f"from {least} to {most}"
        raise ImproperlyConfigured(f"{name}={value!r} cannot be used. Give a whole number {accepted}.")
    return int(value)


def one_of(name: str, default: str, choices: list[str]) -> str:
    value = env.str(name, default="") or default
    if value.lower() not in choices:
        raise ImproperlyConfigured(f"{name}={value!r} cannot be used. Choose one of {', '.join(choices)}.")
    return value.lower()


def words(name: str) -> list[str]:
    """Entries divided by commas."""
    return [word.strip() for word in env.str(name, default="").split(",") if word.strip()]


def rate(name: str) -> tuple[int, float] | None:
    """`600/minute` as (requests, seconds), or None where there is no limit."""
    value = env.str(name, default="")
    if not value or value.lower() == "off":
        return None
    count, _, period = value.partition("/")
    seconds = {"s": 1, "second": 1, "m": 60, "minute": 60, "h": 3600, "hour": 3600}.get(period.strip().lower())
    if not count.strip().isdecimal() or int(count) < 1 or seconds is None:
        raise ImproperlyConfigured(f"{name}={value!r} cannot be used. Say, for example, 600/minute, 20/second or off.")
    return int(count), float(seconds)


def api_keys() -> list[str]:
    """Return the keys of OPENINTENT_API_KEYS. Refuse those that can be guessed: they are operators (protocol §1.1).

    _OPENINTENT_WEAK_KEYS is set by OpenIntentServer for keys in a program on a loopback address, and by nobody else.
    """
    keys = words("OPENINTENT_API_KEYS")
    if flag("_OPENINTENT_WEAK_KEYS", False):
        return keys
    for number_of_key, key in enumerate(keys, 1):
        if reason := weakness(key):
            which = "the key" if len(keys) == 1 else f"key {number_of_key} of {len(keys)}"
            raise ImproperlyConfigured(
                f"OPENINTENT_API_KEYS (--api-keys): {which} {reason}, and whoever has it is an operator. "
                "Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
    return keys


def weakness(key: str) -> str:
    """Return why a key can be guessed; empty where it cannot."""
    if key.casefold() in WELL_KNOWN_KEYS:
        return "is well known"
    if len(key) < MIN_KEY_LENGTH:
        return f"has fewer than {MIN_KEY_LENGTH} characters"
    return f"has fewer than {MIN_KEY_CHARACTERS} different characters" if len(set(key)) < MIN_KEY_CHARACTERS else ""


def database() -> dict[str, Any]:
    """Django's settings for DATABASE_URL."""
    url = env.str("DATABASE_URL", default="") or DEV_DATABASE
    scheme = url.partition(":")[0]
    if scheme == "sqlite":
        return _sqlite(url)
    if scheme in ("postgres", "postgresql"):
        return _postgresql(url)
    raise ImproperlyConfigured(f"DATABASE_URL with {scheme!r} cannot be used. Accepted: {SCHEMES}.")


def _sqlite(url: str) -> dict[str, Any]:
    name = url.removeprefix("sqlite:///")
    if name == url or not name:
        raise ImproperlyConfigured(f"DATABASE_URL={url!r} names no file. Accepted: {SCHEMES}.")
    return {
        "ENGINE": "core.db.backends.sqlite",
        "NAME": name if name == ":memory:" else str(Path(name).resolve()),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # recursive_triggers: without it INSERT OR REPLACE deletes a row and no trigger hears of it.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA recursive_triggers=ON;"
            "PRAGMA cache_size=-32768; PRAGMA mmap_size=268435456;",
        },
    }


def _postgresql(url: str) -> dict[str, Any]:
    try:
        settings = environ.Env.db_url_config(url)
    except Exception as error:
        raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {type(error).__name__}. Accepted: {SCHEMES}.") from None
    if not settings.get("NAME"):
        raise ImproperlyConfigured(f"DATABASE_URL names no database. Accepted: {SCHEMES}.")
    options = settings.setdefault("OPTIONS", {})
    options.setdefault("application_name", "openintent")
    options.setdefault("connect_timeout", 10)
    options.setdefault("options", "-c jit=off")  # Compiling a short query takes longer than running it.
    return {**settings, "ENGINE": "core.db.backends.postgresql", "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}


def redis() -> str:
    """REDIS_URL; empty where there is none."""
    url = env.str("REDIS_URL", default="")
    if not url:
        return ""
    if find_spec("channels_redis") is None:
        raise ImproperlyConfigured("REDIS_URL is set, and what talks to Redis is missing: pip install 'channels-redis>=4.3,<5'.")
    try:
        host, port = urlsplit(url).hostname, urlsplit(url).port
    except ValueError:
        host = port = None
    if url.partition("://")[0] not in ("redis", "rediss") or not host or port == 0:  # It may hold a password, and is not shown.
        raise ImproperlyConfigured("REDIS_URL cannot be used. Accepted: redis://:password@host:6379/0, or rediss://… for TLS.")
    return url


def channel_layers(redis_url: str) -> dict[str, Any]:
    """Channels' settings for what rings between processes."""
    if not redis_url:
        return {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    # A Redis that does not answer is taken to be away: readers look by themselves meanwhile.
    host = {"address": redis_url, "socket_timeout": 2, "socket_connect_timeout": 2}
    backend = "channels_redis.pubsub.RedisPubSubChannelLayer"
    return {"default": {"BACKEND": backend, "CONFIG": {"hosts": [host], "prefix": "openintent"}}}


def attachments(database: dict[str, Any]) -> dict[str, Any]:
    """Django's settings for where the bytes of attachments are kept (rule T-3)."""
    if bucket := env.str("OPENINTENT_ATTACHMENTS_S3_BUCKET", default=""):
        return {"BACKEND": "attachments.storage.BucketStorage", "OPTIONS": {"bucket_name": bucket, **_s3_options()}}
    folder = Path(env.str("OPENINTENT_ATTACHMENTS_DIR", default="") or _attachments_beside(database)).resolve()
    if folder.exists() and not folder.is_dir():
        raise ImproperlyConfigured(f"OPENINTENT_ATTACHMENTS_DIR={str(folder)!r} is a file. Name a folder.")
    return {"BACKEND": "attachments.storage.FolderStorage", "OPTIONS": {"location": folder}}


def _attachments_beside(database: dict[str, Any]) -> str:
    """Beside an SQLite file; else in the working directory, where `attachments` alone is this checkout's own code."""
    name = str(database["NAME"])
    return (
        f"{name}.attachments"
        if database["ENGINE"] == "core.db.backends.sqlite" and name != ":memory:"
        else "openintent.attachments"
    )


def _s3_options() -> dict[str, str]:
    """What is not said here, boto looks for in its own environment and files."""
    names = {"endpoint_url": "ENDPOINT", "region_name": "REGION", "access_key": "ACCESS_KEY", "secret_key": "SECRET_KEY"}
    given = {option: env.str(f"OPENINTENT_ATTACHMENTS_S3_{name}", default="") for option, name in names.items()}
    style = {"addressing_style": "path"} if given["endpoint_url"] else {}  # Few of those answer to a host name per bucket.
    return {**style, **{option: value for option, value in given.items() if value}}


def root_path() -> str:
    """Return the prefix of all paths, as `/oi`; empty where there is none."""
    value = env.str("OPENINTENT_ROOT_PATH", default="").rstrip("/")
    if value and not re.fullmatch(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", value):
        raise ImproperlyConfigured(
            f"OPENINTENT_ROOT_PATH={value!r} cannot be used. Give a path like /oi, of letters, digits and -._~"
        )
    if (first := value.split("/")[1:2]) and first[0] in OWN_PATHS:
        raise ImproperlyConfigured(
            f"OPENINTENT_ROOT_PATH={value!r} begins like a path of the server itself. Choose another than /{first[0]}."
        )
    return value


def debug() -> bool:
    """Whether OPENINTENT_DEBUG is set. Refuse it behind a proxy: the page of a failure shows code and values to anybody."""
    value = flag("OPENINTENT_DEBUG", False)
    if value and flag("OPENINTENT_BEHIND_TLS", False):
        raise ImproperlyConfigured(
            "OPENINTENT_DEBUG shows code and values to others: not with OPENINTENT_BEHIND_TLS. Unset one of them."
        )
    return value


@lru_cache(maxsize=1_000)  # Asked for each request in dev mode.
def is_loopback(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower().removesuffix(".") == "localhost"
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
