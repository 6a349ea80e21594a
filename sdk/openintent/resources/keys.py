"""API keys (protocol §1.1), for operators."""

from .._call import Call, list_call, no_content
from .._parameters import Id, Instant, path, to_rfc3339, without_none
from ..enums import KeyRole
from ..models import ApiKey
from ..validation import validate_key
from ._transport import Transport


class KeyResource(Transport):
    """/keys."""

    def create_key(
        self,
        name: str,
        *,
        role: KeyRole | str = KeyRole.AGENT,
        agent_id: str | None = None,
        expires_at: Instant | None = None,
    ) -> ApiKey:
        """Create an API key. The result's `key` is the secret: it is returned only here.

        With `agent_id` the key is bound: its requests act as that agent. Without `expires_at` it is
        valid until it is revoked.

        Raises InputValidationError, PermissionDeniedError.
        """
        validate_key(name, role, agent_id)
        return self.send(
            Call(
                "POST",
                path("keys"),
                ApiKey.from_json,
                json=without_none(name=name, role=role, agent_id=agent_id, expires_at=to_rfc3339(expires_at, "expires_at")),
            )
        )

    def list_keys(self, *, limit: int | None = None) -> list[ApiKey]:
        """Return all API keys, including revoked ones, without their secrets. Raises PermissionDeniedError."""
        return self.send(list_call(path("keys"), "keys", ApiKey, limit=limit))

    def revoke_key(self, key_id: Id) -> None:
        """Revoke an API key at once. Idempotent. Raises PermissionDeniedError, NotFoundError."""
        return self.send(Call("DELETE", path("keys", key_id), no_content))
