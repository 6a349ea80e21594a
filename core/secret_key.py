"""The key that signs the console's sessions."""

import os
import secrets
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from core.env import env


def secret_key(database: dict[str, Any], *, dev_mode: bool) -> str:
    """OPENINTENT_SECRET_KEY; else, beside an SQLite file, one that is made once and kept in a file of its own.

    Several processes need to share it, so a server on PostgreSQL outside dev mode is not given one silently.
    """
    if given := env.str("OPENINTENT_SECRET_KEY", default=""):
        if len(given) < 32:
            raise ImproperlyConfigured("OPENINTENT_SECRET_KEY is too short. Give at least 32 random characters.")
        return given
    if database["ENGINE"] == "core.db.backends.sqlite" and database["NAME"] != ":memory:":
        try:
            return _kept(Path(database["NAME"] + ".secret"))
        except OSError as error:
            raise ImproperlyConfigured(
                f"{error.filename} cannot be used: {error.strerror}. It stands beside the database: "
                "choose another place with DATABASE_URL, or give OPENINTENT_SECRET_KEY."
            ) from None
    if dev_mode:
        return secrets.token_urlsafe(48)
    raise ImproperlyConfigured(
        "OPENINTENT_SECRET_KEY is not set. Give all processes the same random text, for example from: "
        "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
    )


def _kept(path: Path) -> str:
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(fresh, path)  # Whoever links first wins; the file is never seen half written.
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text()
