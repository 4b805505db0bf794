"""What begins a connection in place of HTTP, and which setting of a proxy leads to it."""

_TLS = b"\x16\x03"
"""A record that holds a handshake (RFC 8446, section 5.1)."""

_PROXY = b"PROXY "
"""Version 1 of the PROXY protocol."""

_PROXY_BEHIND_EMPTY_LINES = b"\x00\r\nQUIT\n"
"""Version 2 begins with two empty lines, and goes on so."""

_HTTP_2 = b"PRI * HTTP/2.0\r\n"
"""The preface of a client that knows that its server speaks HTTP/2 (RFC 9113, section 3.4)."""


def explain(data: bytes) -> str:
    """Return a sentence about bytes that are no HTTP/1 of ours, `""` if nothing is known of them.

    Args:
        data: what a connection begins with, without empty lines before it.
    """
    if data.startswith(_TLS):
        return "it is TLS, and this port speaks plain HTTP: does a proxy use https:// for it?"
    if data.startswith((_PROXY, _PROXY_BEHIND_EMPTY_LINES)):
        return "it is a header of the PROXY protocol, which option 'proxy_protocol' reads"
    if data.startswith(_HTTP_2):
        return "it is HTTP/2: have the proxy speak HTTP/1.1 to this server"
    return ""
