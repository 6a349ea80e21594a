"""What the consumers share."""

from typing import Any

from channels.consumer import get_handler_name


class NoChannelMixin:
    """Of a Channels consumer: it listens to its connection alone, and looks after no connection to the database.

    The channel layer rings for the whole process (subscriptions.streams.redis_wakeups), so a consumer needs no channel of its own; and what
    reads the database does so in threads that look after theirs.
    """

    channel_layer_alias = "none of its own"

    async def dispatch(self, message: dict[str, Any]) -> None:
        await getattr(self, get_handler_name(message))(message)
