"""Tables of the console: sign-in links, sign-in attempts and saved views."""

from urllib.parse import parse_qsl

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


class SavedView(models.Model):
    """Filters and search of a list that a person has named (console.saved_views). `page` is the list's URL name."""

    MAX_NAME, MAX_PAGE, MAX_QUERY = 100, 100, 4_000

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    page = models.CharField(max_length=MAX_PAGE)
    name = models.CharField(max_length=MAX_NAME)
    query = models.CharField(max_length=MAX_QUERY, blank=True)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "page", "name"], name="one_saved_view_of_a_name"),
            models.UniqueConstraint(fields=["person", "page"], condition=models.Q(is_default=True), name="one_default_view"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def filters(self) -> str:
        """Filters of the view as people read them: `status: blocked`."""
        return ", ".join(f"{name.split('__')[0]}: {value}" for name, value in parse_qsl(self.query))
