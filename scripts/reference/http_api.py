"""HTTP API reference: openapi.yaml as pages, one for each tag and one for the objects."""

import json
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

LIMITS = {
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "to {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "default": "default `{}`",
}

IMPLIED = {"minLength": 1, "minItems": 1}
"""Limits that need no mention."""


def pages(document: Json) -> dict[str, str]:
    """Return the Markdown of each page by its name: `intents`, …, `objects`."""
    parts: dict[str, list[tuple[str, str, Json]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            parts.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    written = {"index": _index(parts)}
    for part, operations in sorted(parts.items()):
        written[part.lower()] = f"# {part}\n\n" + "\n".join(_operation(document, *each) for each in operations)
    return {**written, "objects": _objects(document["components"]["schemas"])}


def _index(parts: dict[str, list[tuple[str, str, Json]]]) -> str:
    rows = [
        f"| `{method} {path}` | [`{operation['operationId']}`]({part.lower()}.md#{operation['operationId']}) | {operation['summary']} |"
        for part, operations in sorted(parts.items())
        for method, path, operation in operations
    ]
    return "\n".join(
        [
            "# HTTP API",
            "",
            "Every operation of [openapi.yaml](../../../openapi.yaml) (OpenAPI 3.1), which a running server also serves at `/openapi.json`; "
            "at `/docs` the operations can be tried. Bodies are JSON; the API key is sent in `X-API-Key`. "
            "[Protocol](../protocol.md) has the rules, [Error codes](../errors.md) the refusals.",
            "",
            "| | Operation | |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _operation(document: Json, method: str, path: str, operation: Json) -> str:
    lines = [
        f'## <a id="{operation["operationId"]}"></a>{operation["summary"]}',
        "",
        f"`{method} {path}`: the operation `{operation['operationId']}`"
        + ("" if operation.get("security") else "; needs no key"),
        "",
        operation.get("description", ""),
        "",
    ]
    if parameters := [_resolved(document, each) for each in operation.get("parameters", [])]:
        lines += ["| Parameter | In | Type | |", "|---|---|---|---|"]
        for each in parameters:
            needed = "" if each["in"] == "path" or not each.get("required") else "**required** "
            text = f"{needed}{_cell(each.get('description', ''))}"
            lines.append(f"| `{each['name']}` | {each['in']} | {kind(each['schema'])} | {text} |")
        lines.append("")
    for media, body in operation.get("requestBody", {}).get("content", {}).items():
        lines += [f"**Body** (`{media}`): {kind(body['schema'])}", ""]
        if "example" in body:
            lines += ["```json", json.dumps(body["example"], indent=2, ensure_ascii=False), "```", ""]
    lines += _responses(document, operation["responses"])
    return "\n".join(lines) + "\n"


def _responses(document: Json, responses: Json) -> Iterator[str]:
    yield from ("| Response | |", "|---|---|")
    for status, response in responses.items():
        if int(status) < 400:
            schemas = [body.get("schema") or {} for body in response.get("content", {}).values()]
            yield f"| **{status}** | {', '.join(map(kind, schemas))} {_cell(response.get('description', ''))} |"
    refused = {status: _resolved(document, response) for status, response in responses.items() if int(status) >= 400}
    for status, response in refused.items():
        yield f"| {status} | [Problem](objects.md#problem): {_cell(response['description'])} |"
    yield ""


def _objects(schemas: Json) -> str:
    lines = ["# Objects", "", "The objects of request and response bodies.", ""]
    for title, schema in sorted(schemas.items()):
        lines += [f"## {title}", "", schema.get("description", ""), ""]
        if properties := schema.get("properties"):
            required = set(schema.get("required", []))
            lines += ["| Field | Type | |", "|---|---|---|"]
            lines += [
                f"| `{field}` | {kind(each)} | {'**always** ' if field in required else ''}{_cell(each.get('description', ''))} |"
                for field, each in properties.items()
            ]
        else:
            lines.append(kind(schema))
        lines.append("")
    return "\n".join(lines)


def kind(schema: Json) -> str:
    """Return the type in words, with its limits and links to the objects."""
    if "$ref" in schema:
        title = schema["$ref"].rpartition("/")[2]
        return f"[{title}](objects.md#{title.lower()})"
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    for choice in ("anyOf", "oneOf", "allOf"):
        if options := [each for each in schema.get(choice, []) if "type" in each or "$ref" in each or "enum" in each]:
            return (" and " if choice == "allOf" else " or ").join(map(kind, options))
    return _plain(schema)


def _plain(schema: Json) -> str:
    types = schema.get("type", "anything")
    if schema.get("format") == "uuid":
        schema = {"format": "uuid"}  # Its length is known.
    words = []
    for each in [types] if isinstance(types, str) else types:
        if each == "array":
            words.append(f"list of {kind(schema['items'])}" if schema.get("items") else "list")
        else:
            words.append(f"{each} ({schema['format']})" if "format" in schema and each != "null" else each)
    limits = [
        said.format(_cell(str(schema[limit])))
        for limit, said in LIMITS.items()
        if schema.get(limit) not in (None, IMPLIED.get(limit))
    ]
    return ", ".join([" or ".join(words), *limits])


def _resolved(document: Json, value: Json) -> Json:
    if "$ref" not in value:
        return value
    found: Any = document
    for step in value["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return dict(found)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
