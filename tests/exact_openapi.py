"""Exact description of the API: what serializers accept, before the published one names one form of each value (D-268)."""

import json
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import spectacular_settings

from core import strict_json
from core.openapi_simple_forms import publish_simple_forms


def exact_description() -> dict[str, Any]:
    published = spectacular_settings.POSTPROCESSING_HOOKS
    exact = [f"{hook.__module__}.{hook.__name__}" for hook in published if hook is not publish_simple_forms]
    assert len(exact) == len(published) - 1
    spectacular_settings.apply_patches({"POSTPROCESSING_HOOKS": exact})
    try:
        description = SchemaGenerator().get_schema(request=None, public=True)
    finally:
        spectacular_settings.clear_patches()
    found: dict[str, Any] = json.loads(strict_json.dumps(description))
    return found
