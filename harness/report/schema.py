"""The JSON Schema of verdict.json, made from the records that are written and the descriptions in schema.toml.

`python -m harness.report.schema` prints it; docs/verdict.schema.json is that print.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import msgspec

from harness.verdict import VERDICT_SCHEMA, Verdict

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ID = f"urn:misissue:verdict:{VERDICT_SCHEMA}"
_ITSELF = "_"
_ANYTHING = {"description": "Any JSON value."}


def verdict_schema() -> dict[str, Any]:
    """The schema, as a dictionary in the order in which it is read.

    Raises:
        KeyError: when a field has no description.
    """
    told = read_descriptions()
    (root,), parts = msgspec.json.schema_components(
        (Verdict,), schema_hook=lambda _: _ANYTHING, ref_template="#/$defs/{name}"
    )
    for name, part in parts.items():
        part["description"] = told[name][_ITSELF]
        for field, about in part.get("properties", {}).items():
            about["description"] = told[name][field]
    for record in _records(msgspec.inspect.type_info(Verdict)):
        if not record.__struct_config__.omit_defaults:
            # Fields at their default are written too, although they are not needed to read it.
            parts[record.__name__]["required"] = list(parts[record.__name__]["properties"])
    return {"$schema": _DIALECT, "$id": _ID, "title": "verdict.json of Misissue", **root, "$defs": parts}


def read_descriptions() -> Mapping[str, Mapping[str, str]]:
    """Record -> field -> what it means; "_" for the record itself."""
    texts: dict[str, dict[str, str]] = tomllib.loads(
        (files("harness.report") / "schema.toml").read_text(encoding="utf-8")
    )
    return texts


def schema_text() -> str:
    """The schema as it is published."""
    return json.dumps(verdict_schema(), indent=2, ensure_ascii=False) + "\n"


def _records(info: msgspec.inspect.Type) -> Iterator[type[msgspec.Struct]]:
    """Every record that stands in a value of the type."""
    match info:
        case msgspec.inspect.StructType():
            yield info.cls
            for field in info.fields:
                yield from _records(field.type)
        case msgspec.inspect.VarTupleType():
            yield from _records(info.item_type)
        case msgspec.inspect.DictType():
            yield from _records(info.value_type)


if __name__ == "__main__":
    print(schema_text(), end="")
