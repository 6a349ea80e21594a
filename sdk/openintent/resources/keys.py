"""API keys (protocol §1.1), for operators."""

from .._endpoint import Call, endpoint
from ..enums import KeyRole
from ..models import ApiKey
from ..validation import validate_key
from ._helpers import Id, Instant, list_call, no_content, path, to_rfc3339, without_none


class KeyResource:
    """/keys."""

    @endpoint
    def create_key(
        self,
        name: str,
        *,
        role: KeyRole | str = KeyRole.AGENT,
        agent_id: str | None = None,
        expires_at: Instant | None = None,
    ) -> Call[ApiKey]:
        """Create an API key. The result's `key` is the secret: it is returned only here.

        With `agent_id` the key is bound: its requests act as that agent. Without `expires_at` it is
        valid until it is revoked.

        Raises InputValidationError, PermissionDeniedError.
        """
        validate_key(name, role, agent_id)
        return Call(
            method="POST",
            path=path("keys"),
            json=without_none(
                name=name,
                role=role,
                agent_id=agent_id,
                expires_at=to_rfc3339(expires_at, "expires_at"),
            ),
            parse=ApiKey.from_json,
        )

    @endpoint
    def list_keys(self, *, limit: int | None = None) -> Call[list[ApiKey]]:
        """Return all API keys, including revoked ones, without their secrets. Raises PermissionDeniedError."""
        return list_call(path("keys"), "keys", ApiKey, limit=limit)

    @endpoint
    def revoke_key(self, key_id: Id) -> Call[None]:
        """Revoke an API key at once. Idempotent. Raises PermissionDeniedError, NotFoundError."""
        return Call(method="DELETE", path=path("keys", key_id), parse=no_content)
