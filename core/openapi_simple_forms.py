"""Published forms of the schemas: of several ways to write a value, the one that generators make a plain type of.

The serializers describe exactly what is accepted. Generated clients get unions of anonymous types from that, or do not compile; so
the description that is published has the fullest form of each value: an object, a list of objects or of texts. The others, such as
an id in place of a list of one, are accepted all the same. Tests compare the server with the exact schema (D-268).
"""

from typing import Any


def publish_simple_forms(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Replace unions without names by their fullest form in what is sent, and remove what a value must not be, which no type can say."""
    components = result["components"]
    schemas = components["schemas"]
    components["schemas"] = {name: _simple(each) if name.endswith("Request") else each for name, each in schemas.items()}
    components["parameters"] = _simple(components["parameters"])
    for operations in result["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", []):
                if "anyOf" in parameter.get("schema", {}):
                    parameter["schema"] = {"type": "string"}  # In a URL every value is text.
    return result


def _simple(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_simple(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _simple(each) for name, each in schema.items() if name != "not"}
    for union in ("anyOf", "oneOf"):
        choices = found.get(union)
        if isinstance(choices, list) and not _is_of_names(choices):
            del found[union]
            found = {**_fullest(choices), **found}
    return found


def _is_of_names(choices: list[dict[str, Any]]) -> bool:
    """Return whether all choices are components, or null."""
    return all("$ref" in each or each.get("type") == "null" for each in choices)


def _fullest(choices: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the choice that can say the most: a list of the others; else an object; of texts, what they have in common."""
    for each in choices:
        if each.get("type") == "array" and each["items"] in choices:
            return each
    kinds = ["object" if "$ref" in each else each.get("type") for each in choices]
    if set(kinds) == {"string"} and all("maxLength" in each for each in choices):
        return {"type": "string", "maxLength": max(each["maxLength"] for each in choices)}
    return choices[kinds.index(next(kind for kind in ("object", "number", "string") if kind in kinds))]
