"""requests, as the clients use it."""

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from ._request_flow import Lost


def new_session() -> requests.Session:
    """A session that sends what it is told. It belongs to one thread."""
    session = requests.Session()
    session.auth = _as_they_are  # Or requests would look for a password in ~/.netrc.
    return session


def lost_by(error: requests.RequestException) -> Lost:
    """No answer, in words."""
    cause = _cause(error)
    unsent = isinstance(cause, (NewConnectionError, ConnectTimeoutError))
    return Lost.by(cause, sent=not unsent, timeout=isinstance(error, requests.Timeout))


def _as_they_are(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _cause(error: requests.RequestException) -> BaseException:
    """What urllib3 said: requests wraps it once, and urllib3 itself once more if no connection was made."""
    wrapped = error.args[0] if error.args else error
    cause = getattr(wrapped, "reason", None) or wrapped
    return cause if isinstance(cause, BaseException) else error
