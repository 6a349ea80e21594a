"""Secret key that signs the console's sessions."""

import os
import secrets
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from core.env import env


def secret_key(database: dict[str, Any], *, dev_mode: bool) -> str:
    """Return OPENINTENT_SECRET_KEY; on SQLite else a generated key that is stored in a file beside the database.

    Processes have to share the key, so PostgreSQL outside dev mode gets no generated one. Raise ImproperlyConfigured if none can be used.
    """
    if given := env.str("OPENINTENT_SECRET_KEY", default=""):
        if len(given) < 32:
            raise ImproperlyConfigured("OPENINTENT_SECRET_KEY is too short. Use at least 32 random characters.")
        return given
    if database["ENGINE"] == "core.db.backends.sqlite" and database["NAME"] != ":memory:":
        try:
            return _stored_key(Path(database["NAME"] + ".secret"))
        except OSError as error:
            raise ImproperlyConfigured(
                f"{database['NAME']} cannot be used: {error.strerror}. The key of the console's sessions is stored beside it: "
                "choose another place with DATABASE_URL, or set OPENINTENT_SECRET_KEY."
            ) from None
    if dev_mode:
        return secrets.token_urlsafe(48)
    raise ImproperlyConfigured(
        "OPENINTENT_SECRET_KEY is not set. Set the same random text for all processes, for example from: "
        "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
    )


def _stored_key(path: Path) -> str:
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(fresh, path)  # The first process wins; the file is never seen half written.
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text()
