"""Live alerts as GeoJSON (RFC 7946), for maps. Pure.

An alert's geometry is the places of its areas: points, for the register knows no boundaries. Where none
of its areas has a place the geometry is null, which RFC 7946 §3.2 calls unlocated.
"""

import json
from typing import Any

from broadcaster.cap.feeds import Entry, Page
from broadcaster.cap.moments import written, written_end
from schemas.areas import Area

GEOJSON_TYPE = "application/geo+json"


def geojson(page: Page) -> bytes:
    """A FeatureCollection: an alert a feature."""
    collection: dict[str, Any] = {
        "type": "FeatureCollection",
        "features": [_feature(entry) for entry in page.entries],
    }
    if page.next_url:
        collection["next"] = page.next_url
    return json.dumps(collection, ensure_ascii=False, indent=1).encode() + b"\n"


def _feature(entry: Entry) -> dict[str, Any]:
    content, text = entry.content, entry.content.text("vi")
    return {
        "type": "Feature",
        "id": entry.id,
        "geometry": _geometry(entry.places),
        "properties": {
            "alert": str(entry.alert_id),
            "version": entry.version,
            "mode": content.mode.value,
            "kind": content.kind.value,
            "headline": entry.title,
            "description": text.description,
            "instruction": text.instruction,
            "category": content.category,
            "severity": content.severity.value,
            "urgency": content.urgency.value,
            "certainty": content.certainty.value,
            "risk_level": content.risk_level,
            "body": entry.body,
            "areas": list(content.areas),
            "edition": entry.edition,
            "sent": written(entry.sent),
            "expires": written_end(entry.expires_at),
            "cap": entry.cap,
            "page": entry.page,
        },
    }


def _geometry(places: tuple[Area, ...]) -> dict[str, Any] | None:
    # RFC 7946 §3.1.1: longitude first.
    points = [
        [area.longitude, area.latitude]
        for area in places
        if area.latitude is not None and area.longitude is not None
    ]
    if not points:
        return None
    if len(points) == 1:
        return {"type": "Point", "coordinates": points[0]}
    return {"type": "MultiPoint", "coordinates": points}
