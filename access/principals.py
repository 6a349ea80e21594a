"""What a principal may do at this moment, for rights that hang on whoever gave them (protocol §1.1)."""

from uuid import UUID

from django.contrib.auth import get_user_model

from access.callers import SYSTEM
from access.keys import configured_role
from access.models import ApiKey, Role
from access.people import role_of
from config.db import clock
from config.ids import parse_id


def role_of_principal(principal: str) -> Role | None:
    """Return the role of the key or the person; None where it has ended, or there is none."""
    kind, _, name = principal.partition(":")
    match kind:
        case "key":
            pk = parse_id(name)
            return (configured_role(pk) or _role_of_key(pk)) if pk else None
        case "user":
            person = get_user_model().objects.filter(username=name).first()
            return role_of(person) if person else None
    return SYSTEM.role if principal == SYSTEM.id else None


def _role_of_key(pk: UUID) -> Role | None:
    role = ApiKey.objects.live(clock()).filter(pk=pk).values_list("role", flat=True).first()
    return Role(role) if role else None
