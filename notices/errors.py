"""Errors of channels and notices (protocol §2)."""

from core.errors import ObjectNotFound, ProtocolError


class ChannelNotFound(ObjectNotFound):
    message = "There is no channel with the id"


class NoticeNotFound(ObjectNotFound):
    message = "There is no notice with the id"


class TargetNotAllowed(ProtocolError):
    """The target's address is not allowed: it is in a private network, on the server's own machine, or a special address (rule H-7). Use a public address. Operators can allow private networks with OPENINTENT_WEBHOOK_ALLOW_PRIVATE."""

    code, title, status = "target_not_allowed", "Target not allowed", 400

    def __init__(self, reason: str) -> None:
        super().__init__(f"target: {reason}.")


class ChannelInactive(ProtocolError):
    """The channel sends nothing: it is disabled or removed. Make it active, then send again."""

    code, title, status = "channel_inactive", "Channel is inactive", 409

    def __init__(self, status: str) -> None:
        super().__init__(f"The channel is {status}, so it sends nothing.")


class NoticeObsolete(ProtocolError):
    """The question has ended, so that it is not told to anybody any more. Nothing remains to be done."""

    code, title, status = "notice_obsolete", "Notice is obsolete", 409

    def __init__(self) -> None:
        super().__init__("The question has ended, so the notice is not sent any more.")
