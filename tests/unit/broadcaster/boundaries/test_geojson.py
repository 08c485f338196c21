"""What is taken as a boundary, and in which words the rest is refused."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster import reference
from broadcaster.boundaries import geojson
from broadcaster.boundaries.geojson import BoundaryError, plausible, read
from schemas.areas import Area, AreaTree
from tests.boundary_files import collection, feature, placed, square, squares

TREE = reference.tree("2020-03-01")
AREA, (X, Y) = placed(TREE)[0]
CODE = AREA.code
GOOD = feature(CODE, square(X, Y))


def said(*features: Any, **more: Any) -> bytes:
    return json.dumps({**collection(features), **more}).encode()


def bent(**changes: Any) -> dict[str, Any]:
    return {**deepcopy(GOOD), **changes}


def ring(*positions: Any) -> dict[str, Any]:
    return bent(geometry={"type": "Polygon", "coordinates": [list(positions)]})


def test_every_commune_of_a_sound_file_is_read() -> None:
    found = read(squares(TREE), TREE)
    assert len(found) == len(placed(TREE)) == 526
    assert found[CODE] == ((tuple(square(X, Y)),),)


def test_what_the_format_allows() -> None:
    corners = square(X, Y)
    many = bent(geometry={"type": "MultiPolygon", "coordinates": [[corners], [square(X, Y, 0.001)]]})
    high = ring(*([*corner, 12.5] for corner in corners))
    data = b"\xef\xbb\xbf" + said(
        many, {**feature("00004", square(*dict(_places())["00004"])), "id": 7, "bbox": [0, 0, 1, 1]}
    )
    assert len(read(data, TREE)[CODE]) == 2
    assert read(said(high), TREE)[CODE] == ((tuple(corners),),)
    assert read(said(feature(CODE, corners, named="ma_xa")), TREE, "ma_xa").keys() == {CODE}


def _places() -> list[tuple[str, tuple[float, float]]]:
    return [(area.code, place) for area, place in placed(TREE)]


CORNERS = square(X, Y)
FAULTS = [
    (b"", "file: no JSON"),
    (b'{"type": "FeatureCollection", "features": [NaN]}', "file: no JSON"),
    (b"[]", "file: an object is expected"),
    (json.dumps(GOOD).encode(), "file: type is FeatureCollection"),
    (said(), "file: features: a list that is not empty"),
    (
        said(GOOD, crs={"type": "name", "properties": {"name": "EPSG:3405"}}),
        "file: crs: coordinates are WGS 84",
    ),
    (said("x"), "feature 1: an object is expected"),
    (said(bent(type="Polygon")), "feature 1: type is Feature"),
    (said(bent(properties=None)), "feature 1: properties: an object"),
    (said(bent(properties={})), "feature 1: properties.code: a commune's code as text"),
    (said(bent(properties={"code": 1})), "feature 1: properties.code: a commune's code as text"),
    (said(bent(properties={"code": "99999"})), "feature 1: edition 2020-03-01 has no area '99999'"),
    (said(bent(properties={"code": "001"})), "feature 1: 001 is Quận Ba Đình, which is no commune"),
    (said(GOOD, GOOD), f"feature 2 ({CODE}): feature 1 is of the same commune"),
    (said(bent(geometry=None)), f"feature 1 ({CODE}): geometry: an object"),
    (
        said(bent(geometry={"type": "Point", "coordinates": [X, Y]})),
        f"feature 1 ({CODE}): geometry is Polygon or",
    ),
    (said(bent(geometry={"type": "Polygon"})), f"feature 1 ({CODE}): coordinates: a list"),
    (
        said(bent(geometry={"type": "MultiPolygon", "coordinates": [[]]})),
        f"({CODE}): polygon 1: coordinates: a list",
    ),
    (said(ring()), f"feature 1 ({CODE}): ring 1: a list that is not empty"),
    (said(ring(*CORNERS[:2], CORNERS[0])), f"feature 1 ({CODE}): ring 1: 3 positions"),
    (said(ring(*CORNERS[:4])), f"feature 1 ({CODE}): ring 1: it is not closed"),
    (said(ring(*CORNERS[:3], [X], CORNERS[0])), f"feature 1 ({CODE}): ring 1: a position is"),
    (said(ring(*CORNERS[:3], [X, Y, 1, 2], CORNERS[0])), f"feature 1 ({CODE}): ring 1: a position is"),
    (said(ring(*CORNERS[:3], [str(X), Y], CORNERS[0])), f"feature 1 ({CODE}): ring 1: a position is"),
    (said(ring(*CORNERS[:3], [True, Y], CORNERS[0])), f"feature 1 ({CODE}): ring 1: a position is"),
    (said(ring(*CORNERS[:3], [-179.9, Y], CORNERS[0])), "ring 1: -179.9, "),
    (said(ring(*CORNERS[:3], [Y, X], CORNERS[0])), "is not in the city (longitude comes first)"),
    (said(ring(*CORNERS[:3], [X + 360, Y], CORNERS[0])), "is not in the city"),
    (
        said(feature(CODE, square(X + 0.2, Y))),
        f"feature 1 ({CODE}): it lies more than 5 km from the place of",
    ),
    (said(feature(CODE, CORNERS, CORNERS[:4])), f"feature 1 ({CODE}): ring 2: it is not closed"),
]


@pytest.mark.parametrize(("data", "words"), FAULTS, ids=[words for _, words in FAULTS])
def test_a_fault_is_named_in_one_line(data: bytes, words: str) -> None:
    with pytest.raises(BoundaryError) as refused:
        read(data, TREE)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_sizes_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geojson, "MOST_POSITIONS", 9)
    with pytest.raises(BoundaryError, match=r"feature 2 \(00004\): ring 1: more than 9 positions in all"):
        read(said(GOOD, feature("00004", square(*dict(_places())["00004"]))), TREE)
    monkeypatch.setattr(geojson, "MOST_BYTES", 9)
    with pytest.raises(BoundaryError, match=r"file: .* bytes, at most 9 are taken"):
        read(said(GOOD), TREE)


def test_a_register_without_places_takes_what_is_in_the_country() -> None:
    city = Area(code="01", name="Thành phố", kind="thanh_pho", level=1)
    ward = Area(code="1", name="Phường", kind="phuong", level=3, parent_code="01")
    tree = AreaTree("bare", [city, ward])
    assert plausible(tree) == geojson.VIETNAM
    assert read(said(feature("1", square(108.2, 16.0))), tree).keys() == {"1"}
    with pytest.raises(BoundaryError, match="is not in the city"):
        read(said(feature("1", square(2.3, 48.8))), tree)


ANY = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(st.sampled_from(["properties", "geometry", "type", "coordinates", "features"]), ANY)
def test_whatever_stands_in_a_member_is_refused_in_words(member: str, value: Any) -> None:
    if member == "coordinates":
        data = said(bent(geometry={"type": "MultiPolygon", "coordinates": value}))
    elif member == "features":
        data = json.dumps({"type": "FeatureCollection", "features": value}).encode()
    else:
        data = said(bent(**{member: value}))
    with pytest.raises(BoundaryError):
        read(data, TREE)
