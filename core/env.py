"""Environment variables: parsed and checked (docs/reference/settings.md lists them)."""

import ipaddress
import json
import os
import re
import sys
from difflib import get_close_matches
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

DEV_DATABASE = "sqlite:///./openintent.db"
MIN_KEY_LENGTH = 16
MIN_KEY_CHARACTERS = 5  # Distinct: 16 random hexadecimal digits have fewer once in two million times.
WELL_KNOWN_KEYS = {
    "dev-user-key", "agent-research-key", "agent-synth-key", "my-secret-key", "agent-key", "your-api-key", "your-api-key-here",
    "your-secret-key", "my-secret-api-key", "my-api-key-12345", "super-secret-key", "openintent-api-key", "openintent-key-1",
    "change-me-please", "change-me-change-me", "changemechangeme", "changeme12345678", "correct-horse-battery-staple",
    "test-api-key-123", "test-key-test-key", "secret-key-12345", "operator-secret-key", "0123456789abcdef", "1234567890123456",
    "1234567890abcdef", "abcdefghijklmnop", "passwordpassword", "password12345678", "qwertyuiopasdfgh",
}  # fmt: skip
"""Keys of dev mode, placeholders of documents, and common guesses."""

OWN_PATHS = {"admin", "api", "docs", "favicon.ico", "healthz", "openapi.json", "problems", "readyz", "static", "ws"}
"""First segments of the server's own paths: with such a prefix it would be unclear whether a proxy has removed it."""

_NAMES = """
ALLOWED_HOSTS API_KEYS ATTACHMENTS_DIR ATTACHMENTS_S3_ACCESS_KEY ATTACHMENTS_S3_BUCKET ATTACHMENTS_S3_ENDPOINT ATTACHMENTS_S3_REGION
ATTACHMENTS_S3_SECRET_KEY AUDIT_KEEP_DAYS BEHIND_TLS BODY_TIMEOUT CORS_ORIGINS CSRF_TRUSTED_ORIGINS DEBUG DEV_MODE EMAIL_FROM EMAIL_URL FAST_PATHS
HEAD_TIMEOUT HOST LOG_FORMAT LOG_LEVEL MAX_ATTACHMENT MAX_BATCH_EVENTS MAX_BODY MAX_CONNECTIONS MAX_EVENT_PAYLOAD MAX_SPOOLED
MAX_STATE MAX_STREAMS_PER_KEY MAX_SUBSCRIPTIONS_PER_KEY PORT PUBLIC_URL QUESTIONS RATE_LIMIT ROOT_PATH SECRET_KEY THREADS URLCONF
WEBHOOK_ALLOW_PRIVATE WEBHOOK_KEEP_DAYS WORKER WORKERS
"""
SETTINGS = [f"OPENINTENT_{name}" for name in _NAMES.split()]
"""The server's variables of that prefix, as docs/reference/settings.md lists them."""

OF_CLIENTS = [
    f"OPENINTENT_{name}" for name in ("URL", "API_KEY", "AGENT_ID", "PROFILE", "WEBHOOK_SECRET", "INTENT", "SITE", "WEB")
]
"""Variables of the SDK, the command line and the compose file, which may be set in the same environment."""

SCHEMES = "sqlite:///relative/or//absolute.db or postgresql://user:password@host:5432/name"


def unknown_settings() -> list[str]:
    """Return a sentence for each variable whose name begins like a setting's and is none."""
    unknown = sorted(name for name in os.environ if name.startswith("OPENINTENT_") and name not in SETTINGS + OF_CLIENTS)
    near = [get_close_matches(name, SETTINGS, n=1, cutoff=0.85) for name in unknown]
    return [
        f"{name} is not a setting, and has no effect." + (f" Did you mean {match[0]}?" if match else "")
        for name, match in zip(unknown, near, strict=True)
    ]


def flag(name: str, default: bool) -> bool:
    """Return a boolean variable. Raise ImproperlyConfigured if it is none."""
    value = env.str(name, default="")
    if not value:
        return default
    if value.lower() in ("1", "true", "yes", "on"):
        return True
    if value.lower() in ("0", "false", "no", "off"):
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is invalid. Use true or false.")


def number(name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
    """Return a whole number within the limits. Raise ImproperlyConfigured if it is none."""
    value = env.str(name, default="")
    if not value:
        return default
    if not (value.isascii() and value.isdecimal()) or int(value) < least or (most is not None and int(value) > most):
        accepted = f"of {least} or more" if most is None else f"from {least} to {most}"
        raise ImproperlyConfigured(f"{name}={value!r} is invalid. Use a whole number {accepted}.")
    return int(value)


def one_of(name: str, default: str, choices: list[str]) -> str:
    """Return one of the choices, in lower case. Raise ImproperlyConfigured if it is none."""
    value = env.str(name, default="") or default
    if value.lower() not in choices:
        raise ImproperlyConfigured(f"{name}={value!r} is invalid. Choose one of {', '.join(choices)}.")
    return value.lower()


def json_object(name: str) -> dict[str, Any]:
    """Return a JSON object, by default an empty one. Raise ImproperlyConfigured if it is none."""
    try:
        value = json.loads(env.str(name, default="") or "{}")
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ImproperlyConfigured(f"{name} is invalid. Use a JSON object.")
    return value


def words(name: str) -> list[str]:
    """Return comma-separated entries."""
    return [word.strip() for word in env.str(name, default="").split(",") if word.strip()]


def rate(name: str) -> tuple[int, float] | None:
    """Return `600/minute` as (requests, seconds), or None for no limit."""
    value = env.str(name, default="")
    if not value or value.lower() == "off":
        return None
    count, _, period = value.partition("/")
    seconds = {"s": 1, "second": 1, "m": 60, "minute": 60, "h": 3600, "hour": 3600}.get(period.strip().lower())
    if not count.strip().isdecimal() or int(count) < 1 or seconds is None:
        raise ImproperlyConfigured(f"{name}={value!r} is invalid. Use, for example, 600/minute, 20/second or off.")
    return int(count), float(seconds)


def api_keys() -> list[str]:
    """Return the keys of OPENINTENT_API_KEYS. Raise ImproperlyConfigured if one is guessable: they are operators (protocol §1.1).

    _OPENINTENT_WEAK_KEYS is set only by OpenIntentServer, for keys given by a program on a loopback address.
    """
    keys = words("OPENINTENT_API_KEYS")
    if flag("_OPENINTENT_WEAK_KEYS", False):
        return keys
    for number_of_key, key in enumerate(keys, 1):
        if reason := weakness(key):
            which = "the key" if len(keys) == 1 else f"key {number_of_key} of {len(keys)}"
            raise ImproperlyConfigured(
                f"OPENINTENT_API_KEYS (--api-keys): {which} {reason}, and every holder of it is an operator. "
                "Generate one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
    return keys


def weakness(key: str) -> str:
    """Return the reason why a key is guessable; empty if it is not."""
    if key.casefold() in WELL_KNOWN_KEYS:
        return "is well known"
    if len(key) < MIN_KEY_LENGTH:
        return f"has fewer than {MIN_KEY_LENGTH} characters"
    return f"has fewer than {MIN_KEY_CHARACTERS} different characters" if len(set(key)) < MIN_KEY_CHARACTERS else ""


def database() -> dict[str, Any]:
    """Return Django's settings for DATABASE_URL. Raise ImproperlyConfigured if it cannot be used."""
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
            # recursive_triggers: without it INSERT OR REPLACE deletes rows without running triggers.
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
    engine = "core.db.backends.postgresql" if flag("OPENINTENT_FAST_PATHS", True) else "django.db.backends.postgresql"
    return {**settings, "ENGINE": engine, "CONN_MAX_AGE": None, "CONN_HEALTH_CHECKS": True}


def redis() -> str:
    """Return REDIS_URL, or an empty text."""
    url = env.str("REDIS_URL", default="")
    if not url:
        return ""
    if find_spec("channels_redis") is None:
        raise ImproperlyConfigured(
            "REDIS_URL is set, but the Redis client is not installed: pip install 'channels-redis>=4.3,<5'."
        )
    try:
        host, port = urlsplit(url).hostname, urlsplit(url).port
    except ValueError:
        host = port = None
    if (
        url.partition("://")[0] not in ("redis", "rediss") or not host or port == 0
    ):  # The URL may hold a password, so it is not shown.
        raise ImproperlyConfigured("REDIS_URL is invalid. Accepted: redis://:password@host:6379/0, or rediss://… for TLS.")
    return url


def channel_layers(redis_url: str) -> dict[str, Any]:
    """Return the settings of the channel layer, which carries wake-ups between processes."""
    if not redis_url:
        return {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
    # A Redis that does not respond counts as unavailable: readers poll meanwhile.
    host = {"address": redis_url, "socket_timeout": 2, "socket_connect_timeout": 2}
    backend = "channels_redis.pubsub.RedisPubSubChannelLayer"
    return {"default": {"BACKEND": backend, "CONFIG": {"hosts": [host], "prefix": "openintent"}}}


def attachments(database: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of the attachment storage (rule T-3)."""
    if bucket := env.str("OPENINTENT_ATTACHMENTS_S3_BUCKET", default=""):  # boto finds the rest in its own environment and files.
        names = {"endpoint_url": "ENDPOINT", "region_name": "REGION", "access_key": "ACCESS_KEY", "secret_key": "SECRET_KEY"}
        values = {option: env.str(f"OPENINTENT_ATTACHMENTS_S3_{name}", default="") for option, name in names.items()}
        options = {"bucket_name": bucket, **{option: value for option, value in values.items() if value}}
        if values["endpoint_url"]:
            options["addressing_style"] = "path"  # Few such servers have a host name per bucket.
        return {"BACKEND": "attachments.storage.BucketStorage", "OPTIONS": options}
    name = str(database["NAME"])  # Beside an SQLite file; elsewhere a folder `attachments` alone would be this checkout's code.
    is_file = database["ENGINE"] == "core.db.backends.sqlite" and name != ":memory:"
    default = f"{name}.attachments" if is_file else "openintent.attachments"
    folder = Path(env.str("OPENINTENT_ATTACHMENTS_DIR", default="") or default).resolve()
    if folder.exists() and not folder.is_dir():
        raise ImproperlyConfigured(f"OPENINTENT_ATTACHMENTS_DIR={str(folder)!r} is a file. Use a folder.")
    return {"BACKEND": "attachments.storage.FolderStorage", "OPTIONS": {"location": folder}}


class Email(NamedTuple):
    """Django's settings of a mail server."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    use_tls: bool = False
    use_ssl: bool = False


def email() -> Email:
    """Return the mail server of OPENINTENT_EMAIL_URL, or none. Raise ImproperlyConfigured if it cannot be used."""
    url = env.str("OPENINTENT_EMAIL_URL", default="")
    if not url:
        return Email()
    ports = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
    try:
        parts = urlsplit(url)
        port = parts.port or ports[parts.scheme]
    except (KeyError, ValueError):
        parts, port = urlsplit(""), 0
    if not parts.hostname or not port:  # The URL may hold a password, so it is not shown.
        raise ImproperlyConfigured(
            "OPENINTENT_EMAIL_URL is invalid. Accepted: smtp+tls://user:password@host:587 (STARTTLS), smtps:// for TLS from the "
            "beginning, smtp:// without."
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Email(parts.hostname, port, user, password, parts.scheme == "smtp+tls", parts.scheme == "smtps")


def log_format() -> str:
    """Return OPENINTENT_LOG_FORMAT; by default text for a terminal, and JSON for everything else."""
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    return one_of("OPENINTENT_LOG_FORMAT", "text" if is_terminal else "json", ["json", "text"])


def public_url() -> str:
    """Return OPENINTENT_PUBLIC_URL without a slash at its end, or an empty text."""
    value = env.str("OPENINTENT_PUBLIC_URL", default="").rstrip("/")
    if value and not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+(/[A-Za-z0-9._~-]+)*", value):
        raise ImproperlyConfigured(
            f"OPENINTENT_PUBLIC_URL={value!r} is invalid. Use the address under which people open the console, like https://oi.example."
        )
    return value


def root_path() -> str:
    """Return the prefix of all paths, as `/oi`, or an empty text."""
    value = env.str("OPENINTENT_ROOT_PATH", default="").rstrip("/")
    if value and not re.fullmatch(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", value):
        raise ImproperlyConfigured(f"OPENINTENT_ROOT_PATH={value!r} is invalid. Use a path like /oi, of letters, digits and -._~")
    if (first := value.split("/")[1:2]) and first[0] in OWN_PATHS:
        raise ImproperlyConfigured(
            f"OPENINTENT_ROOT_PATH={value!r} starts with a path of the server itself. Choose another than /{first[0]}."
        )
    return value


def debug() -> bool:
    """Return whether OPENINTENT_DEBUG is set. Raise ImproperlyConfigured behind a proxy: error pages show code and values."""
    value = flag("OPENINTENT_DEBUG", False)
    if value and flag("OPENINTENT_BEHIND_TLS", False):
        raise ImproperlyConfigured(
            "OPENINTENT_DEBUG shows code and values to clients and cannot be combined with OPENINTENT_BEHIND_TLS. Unset one of them."
        )
    return value


@lru_cache(maxsize=1_000)  # Called for each request in dev mode.
def is_loopback(host: str) -> bool:
    """Return whether the host is a loopback address or localhost."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower().removesuffix(".") == "localhost"
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback
