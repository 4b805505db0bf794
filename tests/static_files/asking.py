"""Requests to `static`, and what they bring."""

import trio_sio

LARGE = bytes(range(256)) * 2_000
WHEN = 1_700_000_000
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


def asked(method: str, path: str, **fields: str) -> trio_sio.Request:
    pairs = [(name.replace("_", "-"), value) for name, value in fields.items()]
    return trio_sio.Request(method, path, trio_sio.Headers(pairs))


async def content(response: trio_sio.Response) -> bytes:
    if isinstance(response.body, bytes):
        return response.body
    return b"".join([piece async for piece in response.body])
