"""Sessions of the `requests` library, as the synchronous client uses them."""

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from ._request_flow import NoResponse


def new_session() -> requests.Session:
    """Return a session that adds no credentials. It belongs to one thread."""
    session = requests.Session()
    session.auth = lambda request: request  # Otherwise requests would look for a password in ~/.netrc.
    return session


def no_response(error: requests.RequestException) -> NoResponse:
    """Return the outcome for an attempt that failed with this error."""
    # requests wraps urllib3's error, and that wraps the error of a failed connection.
    wrapped = error.args[0] if error.args else error
    reason = getattr(wrapped, "reason", None) or wrapped
    cause = reason if isinstance(reason, BaseException) else error
    unsent = isinstance(cause, (NewConnectionError, ConnectTimeoutError))
    return NoResponse.from_error(cause, sent=not unsent, timeout=isinstance(error, requests.Timeout))
