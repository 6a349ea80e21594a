"""Tables of the console: sign-in links and sign-in attempts."""

from django.conf import settings
from django.db import models

from core.ids import new_id


class SignInLink(models.Model):
    """A link that signs its person in once (console.sign_in.links). It is signed, so a row alone opens nothing."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"a way in for {self.person}"


class Attempts(models.Model):
    """The used-up share of the sign-in attempts of an account or an address (console.sign_in.throttle)."""

    subject = models.CharField(primary_key=True, max_length=64)
    due_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"due at {self.due_at}"
