"""Configuration of the app."""

from collections.abc import Callable, Sequence

from core import registration
from core.errors import Invalid


class AttachmentsConfig(registration.ProtocolAppConfig):
    name = "attachments"
    verbose_name = "Attachments"
    rfcs = {"RFC-0005": "Attachments"}
    features = ("attachments",)
    refusals = {
        "attachment_is_in_one_place": Invalid,
        "attachment_is_somewhere": Invalid,
    }

    def housekeeping(self) -> Sequence[Callable[[], object]]:
        from attachments.services import delete_orphans  # noqa: PLC0415  Models must be loaded first.

        return (delete_orphans,)
