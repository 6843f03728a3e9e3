"""Where on the globe something is near: the circle around a place, and the box that holds it."""

from __future__ import annotations

import math
import re
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

EARTH_RADIUS_KM: Final = 6371.0088

_DEGREES: Final = r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,15})?"
_PLACE: Final = re.compile(rf"({_DEGREES}),({_DEGREES})")


class Near(NamedTuple):
    """A place on the globe, in degrees, and how far around it."""

    latitude: float
    longitude: float
    radius_km: float


class Box(NamedTuple):
    """Degrees between which everything near a place lies; two ranges of longitude where the date line is crossed."""

    south: float
    north: float
    longitudes: tuple[tuple[float, float], ...]


def box_around(near: Near) -> Box:
    """The box that holds the circle around a place, a hair wider; around a pole it goes all the way round."""
    angle = near.radius_km / EARTH_RADIUS_KM + 1e-9
    reach = math.degrees(angle)
    south, north = near.latitude - reach, near.latitude + reach
    if south <= -90 or north >= 90:
        return Box(max(south, -90.0), min(north, 90.0), ((-180.0, 180.0),))
    # The circle is widest where it touches a meridian, which is nearer to the pole than its centre is.
    half = math.degrees(math.asin(math.sin(angle) / math.cos(math.radians(near.latitude)))) + 1e-9
    west, east = near.longitude - half, near.longitude + half
    if west < -180:
        return Box(south, north, ((-180.0, east), (west + 360, 180.0)))
    if east > 180:
        return Box(south, north, ((west, 180.0), (-180.0, east - 360)))
    # Both signs of 180 degrees are the same meridian.
    edges = tuple((edge, edge) for edge, touched in ((-180.0, east == 180), (180.0, west == -180)) if touched)
    return Box(south, north, ((west, east), *edges))


def written_place(written: str) -> tuple[float, float] | None:
    """Latitude and longitude of `40.68,8.2`, or None for what is no place on the globe."""
    match = _PLACE.fullmatch(written)
    if match is None:
        return None
    latitude, longitude = map(float, match.groups())
    return (latitude, longitude) if -90 <= latitude <= 90 and -180 <= longitude <= 180 else None


def distance_between(latitude: Any, longitude: Any, near: Near) -> sa.ColumnElement[float]:
    """From two columns along a great circle, by the haversine formula, which is exact for near places too."""
    half_south = sa.func.radians(latitude - near.latitude) / 2
    half_east = sa.func.radians(longitude - near.longitude) / 2
    both = sa.func.cos(sa.func.radians(latitude)) * sa.func.cos(sa.func.radians(near.latitude))
    chord = sa.func.power(sa.func.sin(half_south), 2) + both * sa.func.power(sa.func.sin(half_east), 2)
    return 2 * EARTH_RADIUS_KM * sa.func.asin(sa.func.sqrt(sa.func.least(1.0, chord)))
