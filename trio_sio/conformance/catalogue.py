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
from trio_sio.conformance.checks.protocol_5 import (
    handshake as handshake_5,
    heartbeat as heartbeat_5,
    namespaces as namespaces_5,
    payloads as payloads_5,
    revisions,
    strictness,
    upgrade as upgrade_5,
)

AREAS = (
    *(handshake.area, refusals.area, payloads.area, upgrade.area, heartbeat.area),
    *(namespaces.area, events.area, binary.area, rooms.area, order.area),
    *(closing.area, limits.area),
)

AREAS_5 = (
    *(handshake_5.area, revisions.area, payloads_5.area, heartbeat_5.area),
    *(upgrade_5.area, namespaces_5.area, strictness.area),
)
"""Of what holds in protocol 5 alone."""

CHECKS: tuple[Check, ...] = tuple(check for area in (*AREAS, *AREAS_5) for check in area)


def checks_of(protocol: int) -> tuple[Check, ...]:
    """Return the checks of what holds in a revision of Socket.IO."""
    return tuple(check for check in CHECKS if protocol in check.protocols)
