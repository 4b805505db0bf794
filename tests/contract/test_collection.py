"""The events of a server are found, with their types."""

import trio_sio
from tests.contract import shop
from trio_sio.contract.collection import Contract, collect


def collected(io: trio_sio.Server = shop.io) -> Contract:
    return collect(io, [shop.price, shop.sold, shop.sure], "{name}")


def test_namespaces_and_events() -> None:
    found = {
        one.name: ([e.name for e in one.from_client], [e.name for e in one.from_server])
        for one in collected().namespaces
    }
    label = next(name for name in found if "lambda" in name)
    assert found == {
        "/": (["numbers", "order", "price", "untyped"], ["sold", "sure?"]),
        "/admin": (["tree", "upload"], ["sold", "sure?"]),
        label: ([], ["sold", "sure?"]),
    }


def test_types() -> None:
    root, admin = collected().namespaces[:2]
    numbers, order, price, untyped = root.from_client
    assert order.arguments == (("order", {"$ref": "Order"}), ("note", {"type": "string"}))
    assert (order.required, order.rest) == (1, None)
    assert order.answer == ({"type": "integer"}, {"type": "string"})
    assert (numbers.arguments, numbers.rest, numbers.answer) == ((), {"type": "integer"}, ())
    assert price.answer == ({"type": "number"},)
    assert untyped.arguments == (("anything", {}),)
    upload = admin.from_client[1]
    assert [name for name, _ in upload.arguments] == ["data"]
    assert upload.answer == ({},)
    assert set(collected().schemas) == {"Address", "Node", "Order"}


def test_the_order_of_registration_does_not_count() -> None:
    def a(socket: trio_sio.Socket, x: int) -> None: ...
    def b(socket: trio_sio.Socket, y: str) -> None: ...

    one, other = trio_sio.Server(), trio_sio.Server()
    for io, names in ((one, "ab"), (other, "ba")):
        for name in names:
            io.on(name, a if name == "a" else b)
    assert collected(one) == collected(other)
