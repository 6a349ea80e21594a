"""What Django's page of a failure shows where OPENINTENT_DEBUG is set."""

import re

from django.views.debug import SafeExceptionReporterFilter


class ReporterFilter(SafeExceptionReporterFilter):
    """Hide settings that hold a password as a part of an address, like REDIS_URL, beside those that Django hides."""

    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|REDIS|CHANNEL_LAYERS|DATABASES|STORAGES", re.IGNORECASE
    )
