"""Strict JSON parser."""

from typing import Any

from rest_framework.parsers import BaseParser

from core import strict_json
from core.errors import Invalid


class JSONParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return strict_json.loads(stream.read())
        except strict_json.StrictJSONError as error:
            raise Invalid(str(error), [{"field": "", "message": str(error), "code": error.code}]) from None
