"""Names of the API keys that actors used."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.conf import settings

from access.identity import configured_caller
from access.key_lookup import DEV_KEYS, digest
from access.models import ApiKey, Role

REMEMBERED = 10_000
AT_ONCE = 500  # Keys that are read at once, the newest: rows of a page have mostly these.


@dataclass(frozen=True, slots=True)
class KeyName:
    """A key for display. `prefix` tells keys of one name apart; empty where the key has no row, and so no page."""

    key_id: UUID
    name: str
    prefix: str = ""


_known: dict[UUID, KeyName] = {}


def key_name(key_id: UUID) -> KeyName:
    """Return the key's name and prefix. They never change: each is read once in a process, together with others."""
    found = _known.get(key_id) or _configured(tuple(settings.API_KEYS)).get(key_id)
    if found is None:
        _remember(ApiKey.objects.order_by("-created_at")[:AT_ONCE])
        if key_id not in _known:
            _remember(ApiKey.objects.filter(pk=key_id))
        found = _known.setdefault(key_id, KeyName(key_id, f"key {str(key_id)[-8:]}"))
    return found


def _remember(rows: Iterable[ApiKey]) -> None:
    if len(_known) > REMEMBERED:
        _known.clear()
    for row in rows:
        _known[row.pk] = KeyName(row.pk, row.name, row.prefix)


@lru_cache(maxsize=4)
def _configured(api_keys: tuple[str, ...]) -> dict[UUID, KeyName]:
    named = dict.fromkeys(api_keys, "configured key") | {key: f"{name}, dev mode" for key, (name, _) in DEV_KEYS.items()}
    ids = {key: configured_caller(digest(key), name="", role=Role.OPERATOR).key_id for key in named}
    return {ids[key]: KeyName(ids[key], name) for key, name in named.items()}
