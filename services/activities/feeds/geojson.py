"""Activities as points on a map (RFC 7946)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from services.activities.feeds.store import Position

MEDIA_TYPE = "application/geo+json"


def collection(positions: Sequence[Position], *, is_whole: bool) -> str:
    """A feature for each; its properties are the activity as the list has it."""
    # What comes from the database is JSON already.
    features = ",".join(
        f'{{"type":"Feature","id":"{position.id}","geometry":{{"type":"Point","coordinates":'
        f'[{position.longitude},{position.latitude}]}},"properties":{position.document}}}'
        for position in positions
    )
    return f'{{"type":"FeatureCollection","is_whole":{json.dumps(is_whole)},"features":[{features}]}}'
