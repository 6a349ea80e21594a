"""Representation of channels and notices (protocol §10)."""

from rest_framework import serializers

from core.api.representation import ResponseSerializer
from governance.models import Urgency
from notices.models import Channel, ChannelKind, ChannelStatus, Notice, NoticeKind, NoticeStatus


class QuietHoursOut(ResponseSerializer):
    vars()["from"] = serializers.CharField()
    until = serializers.CharField()
    time_zone = serializers.CharField()

    def to_representation(self, stored: dict[str, str]) -> dict[str, str]:
        return stored  # A field that is named by a keyword of Python cannot be compiled.


class DigestOut(ResponseSerializer):
    every_seconds = serializers.IntegerField()


class ChannelOut(ResponseSerializer):
    # The context has, at its creation, the `secret`.

    id = serializers.UUIDField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(ChannelKind.choices)
    owner = serializers.CharField(allow_null=True, help_text="Whose own channel it is. Null: shared.")
    urgencies = serializers.ListField(child=serializers.ChoiceField(Urgency.choices))
    quiet_hours = QuietHoursOut(allow_null=True)
    digest = DigestOut(allow_null=True)
    status = serializers.ChoiceField(ChannelStatus.choices)
    last_error = serializers.CharField(allow_null=True, help_text="Of the last attempt; null if it succeeded.")
    failing_since = serializers.DateTimeField(allow_null=True)
    is_default = serializers.BooleanField(help_text="Sends e-mail to the addresses of accounts.")
    secret = serializers.SerializerMethodField(help_text="Signs a generic webhook. Only in the response that creates it.")
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()

    def get_secret(self, channel: Channel) -> str | None:
        return self.context.get("secret")


class NoticeOut(ResponseSerializer):
    id = serializers.UUIDField(help_text="webhook-id, or the beginning of the Message-ID, of each attempt.")
    arbitration_id = serializers.UUIDField(allow_null=True)
    channel_id = serializers.UUIDField()
    to = serializers.SerializerMethodField(help_text="Null: all who read a shared channel.")
    kind = serializers.ChoiceField(NoticeKind.choices)
    urgency = serializers.ChoiceField(Urgency.choices)
    digest_id = serializers.UUIDField(allow_null=True, help_text="The digest in which it is sent.")
    status = serializers.ChoiceField(NoticeStatus.choices)
    attempts = serializers.IntegerField()
    last_error = serializers.CharField(allow_null=True)
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)

    def get_to(self, notice: Notice) -> str | None:
        return notice.to or None
