"""Django's PostgreSQL backend, with a health check that costs no round trip.

Django asks `SELECT 1` before the first query of every request. A connection that the server has closed has
something to read on its socket (the end), an idle one has nothing: the kernel answers that in a microsecond.
"""

import select
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        connection: Any = self.connection
        if connection is None or connection.closed:
            return False
        poll = select.poll()  # select.select cannot watch descriptors above 1,023.
        poll.register(connection.fileno(), select.POLLIN | select.POLLPRI)
        return not poll.poll(0)
