"""All checks."""

from trio_sio.conformance.area import Check
from trio_sio.conformance.checks import (
    binary,
    closing,
    events,
    handshake,
    heartbeat,
    limits,
    namespaces,
    order,
    payloads,
    refusals,
    rooms,
    upgrade,
)

AREAS = (
    *(handshake.area, refusals.area, payloads.area, upgrade.area, heartbeat.area),
    *(namespaces.area, events.area, binary.area, rooms.area, order.area),
    *(closing.area, limits.area),
)

CHECKS: tuple[Check, ...] = tuple(check for area in AREAS for check in area)
