"""What a principal may do at this moment, for rights that hang on whoever gave them (protocol §1.1)."""

from django.contrib.auth import get_user_model

from access.identity import SYSTEM
from access.key_lookup import caller_for_principal
from access.models import Role
from access.roles import role_of
from core.ids import parse_id


def role_of_principal(principal: str) -> Role | None:
    """Return the role of the key or the person; None where it has ended, or there is none."""
    kind, _, name = principal.partition(":")
    match kind:
        case "key":
            pk = parse_id(name)
            caller = caller_for_principal(pk) if pk else None
            return caller.role if caller else None
        case "user":
            person = get_user_model().objects.filter(username=name).first()
            return role_of(person) if person else None
    return SYSTEM.role if principal == SYSTEM.id else None
