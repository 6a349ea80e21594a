"""Consumer base: Channels consumers without a channel."""

from typing import Any

from channels.consumer import get_handler_name


class NoChannelMixin:
    """Mixin for a Channels consumer that needs neither a channel nor a database connection.

    The channel layer wakes the whole process (subscriptions.streams.redis_wakeups), and the database is read in threads
    that manage their own connections.
    """

    channel_layer_alias = "none"

    async def dispatch(self, message: dict[str, Any]) -> None:
        await getattr(self, get_handler_name(message))(message)
