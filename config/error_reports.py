"""Filter of Django's debug pages (OPENINTENT_DEBUG)."""

import re

from django.views.debug import SafeExceptionReporterFilter


class ReporterFilter(SafeExceptionReporterFilter):
    """Hide settings with a password in a URL, like REDIS_URL, in addition to those that Django hides."""

    hidden_settings = re.compile(
        f"{SafeExceptionReporterFilter.hidden_settings.pattern}|REDIS|CHANNEL_LAYERS|DATABASES|STORAGES", re.IGNORECASE
    )
