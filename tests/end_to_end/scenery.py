"""A picture worth sharing."""

import math

from tests.end_to_end import png

_TOP, _LOW, _SUN = (58, 40, 92), (255, 158, 92), (255, 236, 170)
_SEA, _LAND = (38, 46, 92), (34, 28, 58)


def sunset(width: int, height: int) -> bytes:
    """A sun over the sea and a headland, as a PNG."""
    horizon = height * 0.62
    sun_x, sun_y, radius = width * 0.6, height * 0.5, height * 0.14

    def colour_at(x: int, y: int) -> png.Colour:
        if y >= horizon:
            return _sea((x - sun_x) / width, (y - horizon) / (height - horizon))
        rise = max(0.0, 1 - x / (width * 0.45)) ** 0.7
        if y > horizon - height * rise * (0.16 + 0.03 * math.sin(x / width * 40)):
            return _LAND
        outside = math.hypot(x - sun_x, y - sun_y) - radius
        sky = _mix(_TOP, _LOW, (y / horizon) ** 1.6)
        glow = _mix(_mix(sky, _SUN, 0.45), sky, outside / (radius * 1.5))
        return _mix(_SUN, glow, outside)  # its edge is one pixel wide

    return png.encode(width, height, colour_at)


def _sea(aside: float, depth: float) -> png.Colour:
    wave = math.sin(depth * 90 + 6 * math.sin(aside * 40))
    water = _mix(_mix(_LOW, _SEA, 0.45), _SEA, depth**0.6)
    return _mix(water, _SUN, 2 * (wave - 0.2 - abs(aside) * (9 - depth * 5)))


def _mix(one: png.Colour, other: png.Colour, share: float) -> png.Colour:
    share = min(1.0, max(0.0, share))
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue
