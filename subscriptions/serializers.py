"""What comes in and goes out of streams and subscriptions (protocol §3, §7)."""

from typing import Any

from rest_framework import serializers

from access.serializers import AgentId
from config.api import Body
from config.fields import Choice, Flag, Id, Integer, Many, Text
from config.filters import MAX_COUNTER

MAX_TOPICS = 100


class TopicIn(Body):
    """One of these: what a stream is about."""

    intent = Id(required=False)
    portfolio = Id(required=False)
    agent = AgentId(required=False)
    all = Flag(required=False)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        if len(values) != 1 or values.get("all") is False:
            raise serializers.ValidationError('must be {"intent": id}, {"portfolio": id}, {"agent": id} or {"all": true}')
        return values


class Message(Body):
    type = Choice(["subscribe", "unsubscribe"])


class SubscribeMessage(Body):
    aliases = {"api_key": "key"}

    type = Text()
    topics = Many(child=TopicIn(), allow_empty=False, max_length=MAX_TOPICS)
    after = Integer(min_value=0, max_value=MAX_COUNTER, required=False, allow_null=True)
    event_types = Many(child=Text(max_length=100), required=False, max_length=100)
    key = Text(required=False)


class UnsubscribeMessage(Body):
    type = Text()
    subscription = Integer(min_value=1, max_value=MAX_COUNTER)
