"""Current roles of principals, for rights that depend on their grantor (protocol §1.1)."""

from django.contrib.auth import get_user_model

from access.identity import SYSTEM
from access.key_lookup import caller_for_key
from access.models import Role
from access.roles import role_of
from core.ids import parse_id


def role_of_principal(principal: str) -> Role | None:
    """Return the role of the key or user, or None if it has ended or does not exist."""
    kind, _, name = principal.partition(":")
    match kind:
        case "key":
            pk = parse_id(name)
            caller = caller_for_key(pk, or_successor=True) if pk else None
            return caller.role if caller else None
        case "user":
            person = get_user_model().objects.filter(username=name).first()
            return role_of(person) if person else None
    return SYSTEM.role if principal == SYSTEM.id else None
