"""Values that JSON does not have: one function says what is sent in their place."""

import array
import dataclasses
import datetime
import decimal
import enum
import uuid

import msgspec

import trio_sio


class Size(enum.Enum):
    SMALL = "S"
    LARGE = "L"


@dataclasses.dataclass
class Shirt:
    id: uuid.UUID
    size: Size
    price: decimal.Decimal
    tags: set[str]


class Sale(msgspec.Struct):
    shirt: Shirt
    at: datetime.datetime  # has a form of its own, and never comes to the function


def to_json(value):
    match value:
        case decimal.Decimal() | uuid.UUID():
            return str(value)
        case enum.Enum():
            return value.value
        case set() | frozenset():
            return sorted(value)
        case array.array():  # arrays of numpy have the same method, and `tolist`
            return value.tobytes()
        case msgspec.Struct():
            return msgspec.structs.asdict(value)
    if dataclasses.is_dataclass(value):
        return vars(value)  # with an UUID, a Size, … in it: the function is called for these, too
    raise TypeError(f"no form for {type(value).__name__}")  # `emit` says which value that was


io = trio_sio.Server(json_default=to_json)


@io.on("buy")
async def buy(socket, size):
    shirt = Shirt(uuid.UUID(int=7), Size(size), decimal.Decimal("19.90"), {"red", "cotton"})
    noon = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
    await io.emit("sold", Sale(shirt, noon), array.array("B", [1, 2, 3]))
    return shirt.price


if __name__ == "__main__":
    trio_sio.run(io, 3000)
