"""The document is valid AsyncAPI 3.0, and its schemas say what the server accepts."""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from tests.contract import shop
from trio_sio.contract import asyncapi
from trio_sio.contract.collection import AnyEvent, collect

SPECS = Path(__file__).parents[1] / "javascript" / "node_modules" / "@asyncapi" / "specs"
EVENTS: list[AnyEvent] = [shop.price, shop.sold, shop.sure]


def document() -> dict[str, Any]:
    text = asyncapi.write(collect(shop.io, EVENTS, asyncapi.REF), "shop")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@pytest.mark.node
def test_the_document_is_valid() -> None:
    schema = json.loads((SPECS / "schemas" / "3.0.0-without-$id.json").read_text("utf-8"))
    jsonschema.Draft7Validator(schema).validate(document())


def test_references_lead_somewhere() -> None:
    whole = document()

    def look(part: object) -> int:
        if isinstance(part, list):
            return sum(map(look, part))
        if not isinstance(part, dict):
            return 0
        if "$ref" in part:
            target: Any = whole
            for step in part["$ref"].removeprefix("#/").split("/"):
                target = target[step]
        return sum(map(look, part.values())) + ("$ref" in part)

    assert look(whole) > 20


@pytest.mark.parametrize(
    ("event", "args", "is_right"),
    [
        ("order", [{"item": "tea"}], True),
        ("order", [{"item": "tea", "address": {"street": "x"}}, "note"], True),
        ("order", [], False),
        ("order", [{"item": "milk"}], False),
        ("order", [{"item": "tea"}, "note", 1], False),
        ("numbers", [], True),
        ("numbers", [1, 2, 3], True),
        ("numbers", [1, "2"], False),
        ("price", [1], False),
    ],
)
def test_schemas_accept_what_the_server_accepts(
    event: str, args: list[object], is_right: bool
) -> None:
    whole = document()
    payload = whole["channels"]["root"]["messages"][event]["payload"]
    schema = {**payload, "components": whole["components"]}
    assert jsonschema.Draft7Validator(schema).is_valid(args) is is_right


def test_operations_and_answers() -> None:
    whole = document()
    order = whole["operations"]["root.receive.order"]
    assert order["reply"]["messages"] == [{"$ref": "#/channels/root/messages/order.answer"}]
    assert whole["operations"]["root.send.sold"]["action"] == "send"
    assert whole["channels"]["root"]["messages"]["sure.3f."]["name"] == "sure?"
