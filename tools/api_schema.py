"""JSON schemas of an OpenAPI document as Markdown: the name of a type, its fields, an example of it."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
REFERENCE = "#/components/schemas/"
_BOUNDS = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", "characters"),
    ("minItems", "maxItems", "entries"),
)
_PLAIN_EXAMPLES = {"string": "…", "integer": 1, "number": 1.0, "boolean": True}


def type_name(schema: Schema) -> str:
    """What may stand in the place of a schema, in words; other types of the document are links."""
    if name := referred(schema):
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema or "oneOf" in schema:
        return " or ".join(dict.fromkeys(type_name(option) for option in schema.get("anyOf") or schema["oneOf"]))
    if "enum" in schema or "const" in schema:
        return " \\| ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    return _plain_type(schema)


def fields_table(schema: Schema) -> str:
    """A Markdown table of the fields of an object."""
    required = schema.get("required", [])
    rows = ["| field | type | meaning |", "|---|---|---|"]
    for name, field in schema.get("properties", {}).items():
        rows.append(f"| `{name}` | {type_name(field)} | {meaning(field, required=name in required)} |")
    return "\n".join(rows)


def meaning(schema: Schema, *, required: bool, description: str | None = None) -> str:
    """What a field or parameter is for, and its default where it may be left out."""
    text = " ".join((description or schema.get("description", "")).split()).replace("|", "\\|")
    default = schema.get("default")
    if required or default is None or isinstance(default, dict | list):
        return text
    shown = str(default).lower() if isinstance(default, bool) else default
    return f"{text} Default: `{shown}`.".strip()


def example(schema: Schema, types: dict[str, Schema]) -> Any:
    """A value that fits the schema, from the examples that its fields give."""
    given = [*schema.get("examples", []), *schema.get("enum", [])]
    given += [schema[key] for key in ("const", "default") if key in schema]
    if given:
        return given[0]
    if name := referred(schema):
        return example(types[name], types)
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return example(options[0], types)
    if "properties" in schema:
        return {name: example(field, types) for name, field in schema["properties"].items()}
    if schema.get("type") == "array":
        return [example(schema["items"], types)]
    return _PLAIN_EXAMPLES.get(str(schema.get("type")))


def referred(schema: Schema) -> str | None:
    """The name of the type of the document that a schema refers to."""
    reference = schema.get("$ref")
    return None if reference is None else str(reference).removeprefix(REFERENCE)


def referred_in(schema: Any) -> list[str]:
    """The names of all types that a schema refers to, in their order."""
    if isinstance(schema, dict):
        own = [name] if (name := referred(schema)) else []
        return [*own, *(name for value in schema.values() for name in referred_in(value))]
    if isinstance(schema, list):
        return [name for value in schema for name in referred_in(value)]
    return []


def _plain_type(schema: Schema) -> str:
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {type_name(schema.get('items', {}))}{_bounds(schema)}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {type_name(schema['additionalProperties'])}"
    if schema.get("format") == "date-time":
        return "time (ISO 8601)"
    return f"{kind}{_bounds(schema)}"


def _bounds(schema: Schema) -> str:
    for least, greatest, unit in _BOUNDS:
        low, high = schema.get(least), schema.get(greatest, schema.get("exclusiveMaximum") if not unit else None)
        if low is not None and high is not None:
            text = f"{_number(low)} to {_number(high)}"
        elif low is not None:
            text = f"at least {_number(low)}"
        elif high is not None:
            text = f"at most {_number(high)}"
        else:
            continue
        return f" ({f'{text} {unit}'.rstrip()})"
    return ""


def _number(value: float) -> str:
    return f"{int(value) if value == int(value) else value:,}"
