"""Checks an evidence bundle of one alert. Needs Python 3.9 or newer and nothing else.

    python3 verify.py                                  the folder this file is in
    python3 verify.py BUNDLE.zip                       a bundle as it was handed over
    python3 verify.py BUNDLE.zip --public-key KEY.pem  with the city's key, had from elsewhere
    python3 verify.py BUNDLE.zip --export LOG.jsonl    against the full log (`broadcaster log export`)

Exit code 0: proven. 1: something was altered, and is named. 3: nothing wrong found, but not proven.
"""

# It travels in every bundle as verify.py, so it imports nothing of ours.

import argparse
import base64
import binascii
import hashlib
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

FORMAT, BEFORE = "broadcaster evidence 2", "broadcaster evidence 1"
"""The one before had no area register in it."""
ZERO = "0" * 64
PROVEN, ALTERED, UNPROVEN = 0, 1, 3
FIELDS = ("position", "recorded_at", "stream", "version", "topic", "payload", "chain")
"""Of a row, all and in this order: the hash covers these, so anything beside them would be unproven."""
FOOTING = ("issuer.", "role.", "delegation.", "area_register.")
FIRST_EDITION = "2020-03-01"
"""Of the area register: what a body belongs to that names none."""
"""Topics of what an alert stands on. A stream of these is in a bundle whole."""
TYPES: "list[type]" = [int, str, str, int, str, dict, str]
_HEX = re.compile(r"[0-9a-f]{64}")


class FaultError(Exception):
    """What does not fit, in words."""


# --- Ed25519, RFC 8032 section 5.1: verification only, so no secret is at risk from plain integers ----

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
Point = tuple[int, int, int, int]


def point(data: bytes) -> Point:
    """A point from its 32 bytes, in extended coordinates."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        raise FaultError("not a point of the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def add(one: Point, two: Point) -> Point:
    """The sum of two points."""
    a, b = (one[1] - one[0]) * (two[1] - two[0]), (one[1] + one[0]) * (two[1] + two[0])
    c, d = 2 * D * one[3] * two[3], 2 * one[2] * two[2]
    e, f, g, h = (b - a) % P, (d - c) % P, (d + c) % P, (b + a) % P
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(factor: int, base: Point) -> Point:
    """A point so many times."""
    total: Point = (0, 1, 1, 0)
    while factor:
        total = add(total, base) if factor & 1 else total
        base, factor = add(base, base), factor >> 1
    return total


def signed(key: bytes, signature: bytes, text: bytes) -> bool:
    """Whether the signature of the text is that of the key."""
    scalar = int.from_bytes(signature[32:], "little")
    if len(key) != 32 or len(signature) != 64 or scalar >= ORDER:  # noqa: PLR2004 (RFC 8032's own sizes)
        return False
    base = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    digest = int.from_bytes(hashlib.sha512(signature[:32] + key + text).digest(), "little") % ORDER
    try:
        left, right = times(scalar, base), add(point(signature[:32]), times(digest, point(key)))
    except FaultError:
        return False
    return not (
        (left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P
    )


def raw_key(pem: bytes) -> bytes:
    """The 32 bytes of an Ed25519 public key in PEM (RFC 8410)."""
    body = b"".join(line for line in pem.splitlines() if not line.startswith(b"-----"))
    try:
        der = base64.b64decode(body, validate=True)
    except binascii.Error:
        der = b""
    if der[:12].hex() != "302a300506032b6570032100":
        raise FaultError("the public key is not Ed25519 in PEM")
    return der[12:]


# --- the chain ----------------------------------------------------------------------------------


def parse(text: str) -> Any:
    """JSON written as the log writes it: compact, and nothing in it twice."""
    value = json.loads(text)
    if json.dumps(value, ensure_ascii=False, separators=(",", ":")) != text:
        raise ValueError("not written as the log writes it")
    return value


def link(previous: str, row: "dict[str, Any]") -> str:
    """The hash a row must carry after the one before it."""
    payload = json.dumps(row["payload"], ensure_ascii=False, separators=(",", ":"))
    place = [str(row[name]) for name in ("position", "recorded_at", "stream", "version", "topic")]
    return hashlib.sha256("\n".join([previous, *place, payload]).encode()).hexdigest()


def row_of(line: str, previous: str, what: str) -> "dict[str, Any]":
    """A row whose hash fits. Raises FaultError naming it."""
    if not _HEX.fullmatch(previous):
        raise FaultError(f"{what} does not begin with the hash of the row before it")
    try:
        row = parse(line)
        if [type(row[name]) for name in FIELDS] != TYPES or tuple(row) != FIELDS:
            raise ValueError  # noqa: TRY301 (all that is unreadable ends alike)
        fits = link(previous, row) == row["chain"]
    except (ValueError, KeyError, TypeError):
        raise FaultError(f"{what} cannot be read as a row of the log: it was altered") from None
    if not fits:
        raise FaultError(f"{what} (position {row['position']}) does not match its hash: it was altered")
    return row


def bodies_of(row: "dict[str, Any]") -> "list[str]":
    """The bodies an event of an alert speaks for: the issuer, the sender, the one its author acts for."""
    payload = row["payload"]
    sender = payload.get("sender")
    named = [payload.get("issuer_id"), sender and sender.partition("@")[0], payload["by"].get("body")]
    return [each for each in named if each]


def moment(text: str) -> datetime:
    """An instant of a payload."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))  # noqa: FURB162 (Python 3.9 reads no Z)


def walk(
    lines: Iterable[str], previous: str, first: int, name: str
) -> "Iterator[tuple[dict[str, Any], str]]":
    """Each row of an unbroken run, and its line."""
    for number, line in enumerate(lines):
        row = row_of(line.rstrip("\n"), previous, f"{name} line {number + 1}")
        if row["position"] != first + number:
            raise FaultError(f"{name} line {number + 1}: position {first + number} is missing")
        previous = row["chain"]
        yield row, line.rstrip("\n")


# --- the bundle ---------------------------------------------------------------------------------


def files_of(place: Path) -> "dict[str, bytes]":
    """Every file of a bundle. Raises FaultError naming one that is damaged."""
    if place.is_dir():
        return {each.name: each.read_bytes() for each in sorted(place.iterdir()) if each.is_file()}
    found: dict[str, bytes] = {}
    name = "the archive itself"
    try:
        with zipfile.ZipFile(place) as archive:
            for name in archive.namelist():
                found[name] = archive.read(name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError):
        raise FaultError(f"{name} is damaged in {place.name}") from None
    return found


class Check:
    """One examination: what it found wrong, and what it can say."""

    def __init__(self, files: "dict[str, bytes]") -> None:
        self.files = files
        self.faults: list[str] = []
        self.notes: list[str] = []
        self.rows: dict[int, tuple[str, str]] = {}
        self.read: list[dict[str, Any]] = []
        self.whole_streams: set[str] = set()
        self.alert, self.limit = "?", 0
        self.has_areas = True

    def listed(self) -> None:
        """Each file is the one the manifest lists."""
        try:
            manifest = json.loads(self.files["manifest.json"])
            listed = dict(manifest["files"])
            self.alert, self.limit = str(manifest["alert_id"]), int(manifest["upto"])
            known = manifest["format"] in {FORMAT, BEFORE}
            self.has_areas = manifest["format"] != BEFORE
        except (KeyError, ValueError, TypeError):
            self.faults.append("manifest.json cannot be read")
            return
        if not known:
            self.faults.append(f"manifest.json is not of the format {FORMAT}")
        for name in sorted(listed.keys() | self.files.keys() - {"manifest.json"}):
            if name not in self.files:
                self.faults.append(f"{name} is missing")
            elif name not in listed:
                self.faults.append(f"{name} does not belong to the bundle")
            elif hashlib.sha256(self.files[name]).hexdigest() != listed[name]:
                self.faults.append(f"{name} is not as the manifest lists it")

        # The manifest's word on how far it reaches is its writer's; the checkpoint's is signed.
        self.limit = self._signed_at().get("position", self.limit)

    def own_rows(self) -> None:
        """Each row of the alert matches its hash, and none of the alert's own events is left out."""
        versions: list[int] = []
        for number, line in enumerate(self._lines("rows.jsonl"), 1):
            what = f"rows.jsonl line {number}"
            previous, _, text = line.partition(" ")
            try:
                row = row_of(text, previous, what)
            except FaultError as fault:
                self.faults.append(str(fault))
                continue
            self.rows[row["position"]] = (previous, text)
            self.read.append(row)
            if row["stream"] == self.alert:
                versions.append(row["version"])
        if versions != list(range(1, len(versions) + 1)) or not versions:
            self.faults.append("the alert's own events are not complete, from its first on")

    def footing(self) -> None:
        """What the alert stood on is here: the bodies that spoke, the roles, the delegations, whole."""
        self.whole_streams = {row["stream"] for row in self.read if row["topic"].startswith(FOOTING)}
        for stream in sorted(self.whole_streams):
            versions = [row["version"] for row in self.read if row["stream"] == stream]
            if versions != list(range(1, len(versions) + 1)):
                self.faults.append(f"the events of {stream} are not complete, from its first on")
        for row in self.read:
            if row["stream"] == self.alert:
                for body in bodies_of(row):
                    self._registered(body, f"position {row['position']} speaks for {body}")
                self._has_role(row)
                if row["payload"].get("delegation_id") is not None:
                    self._delegated(row)
                if row["topic"] == "alert.issued":
                    self._within(row)
        if not self.has_areas:
            self.notes.append("The bundle was made before bundles held the area register: areas unproven.")

    def _registered(self, body: str, what: str) -> None:
        if not self._of("issuer.registered", "issuer_id", body):
            self.faults.append(f"{what}, a body that is not in the bundle")

    def _has_role(self, row: "dict[str, Any]") -> None:
        by = row["payload"]["by"]
        # What the house does by itself is done for no body, and on no role.
        if by.get("body") and not self._of("role.granted", "account", by["account"]):
            self.faults.append(f"position {row['position']}: no role of {by['account']} is in the bundle")

    def _delegated(self, row: "dict[str, Any]") -> None:
        """Its delegation is here; where it did not hold, that is said: it is what the log recorded."""
        name, place = row["payload"]["delegation_id"], row["position"]
        granted = self._of("delegation.granted", "delegation_id", name)
        if not granted or granted[0]["position"] > place:
            self.faults.append(f"position {place} stands on delegation {name}, which is not in the bundle")
            return
        given = granted[0]["payload"]
        for body in (given["grantor"], given["grantee"]):
            self._registered(body, f"delegation {name} names {body}")
        revoked = [each["position"] for each in self._of("delegation.revoked", "delegation_id", name)]
        if revoked and revoked[0] < place:
            self.notes.append(f"Position {place} follows the end of delegation {name} at {revoked[0]}.")
        at, content = row["payload"].get("effective_at"), row["payload"].get("content", {})
        if at is not None and not moment(given["starts_at"]) <= moment(at) < moment(given["ends_at"]):
            self.notes.append(f"Position {place} lies outside the dates of delegation {name}.")
        if content and content["category"] not in given["fields"]:
            self.notes.append(f"Position {place} is of a category that delegation {name} does not name.")

    def _within(self, row: "dict[str, Any]") -> None:
        """The edition it was issued in is here, and its areas lie in those of who might say it."""
        told, place = row["payload"], row["position"]
        adopted = self._of("area_register.adopted", "edition", told["edition"])
        if self.has_areas and (not adopted or adopted[0]["position"] > place):
            self.faults.append(
                f"position {place} is in the areas of edition {told['edition']}, which is not in the bundle"
            )
        if not adopted:
            return
        above = {area["code"]: area.get("parent_code") for area in adopted[0]["payload"]["areas"]}
        title = self._title(told, place)
        for code in told["content"]["areas"]:
            up = code
            while up is not None and up not in title:
                up = above.get(up)
            if code not in above or up is None:
                self.notes.append(f"Position {place}: area {code} lies in none that its title covers.")

    def _title(self, told: "dict[str, Any]", place: int) -> "set[str]":
        """The areas of the delegation it names; else of its body and of all that this inherited from."""
        if told.get("delegation_id") is not None:
            granted = self._of("delegation.granted", "delegation_id", told["delegation_id"])
            return {code for row in granted for code in row["payload"]["areas"]}
        bodies, ahead = set(), {told["sender"].partition("@")[0]}
        while ahead:
            bodies |= ahead
            rows = [one for body in ahead for one in self._of("issuer.succeeded", "issuer_id", body)]
            ahead = {one["payload"]["predecessor"] for one in rows if one["position"] < place} - bodies
        seats: dict[str, str] = {}
        for row in self.read:
            said = row["payload"]
            seated = row["topic"] in {"issuer.registered", "issuer.moved"} and row["position"] < place
            if not seated or said["issuer_id"] not in bodies:
                continue
            if (said.get("edition") or FIRST_EDITION) == told["edition"]:
                seats[said["issuer_id"]] = said["area"]
        return set(seats.values())

    def _of(self, topic: str, name: str, value: str) -> "list[dict[str, Any]]":
        return [each for each in self.read if each["topic"] == topic and each["payload"].get(name) == value]

    def covered(self, lines: Iterable[str], previous: str, first: int, name: str) -> "dict[int, str]":
        """The hash at each position of an unbroken run, in which every row of the bundle must be."""
        chain, rest = {first - 1: previous}, dict(self.rows)
        try:
            for row, line in walk(lines, previous, first, name):
                position = row["position"]
                chain[position] = row["chain"]
                if position in rest and rest.pop(position)[1] != line:
                    self.faults.append(f"position {position} of rows.jsonl is not that of {name}")
                if position > self.limit or position in self.rows:
                    continue
                if self.alert in line:
                    self.faults.append(f"position {position} names the alert and was left out")
                elif row["stream"] in self.whole_streams:
                    self.faults.append(f"position {position} is of what it stood on and was left out")
        except FaultError as fault:
            self.faults.append(str(fault))
            return chain
        self.faults += [f"position {position} is not in {name}" for position in rest]
        return chain

    def run_of(self, export: "Iterable[str] | None") -> "dict[int, str] | None":
        """The run the bundle carries, or the full export; None where there is neither."""
        if export is not None:
            return self.covered(export, ZERO, 1, "the full export")
        if "log.jsonl" not in self.files or not self.rows:
            return None
        first = min(self.rows)
        return self.covered(self._lines("log.jsonl"), self.rows[first][0], first, "log.jsonl")

    def checkpoint(self, chain: "dict[int, str] | None", outside: "bytes | None") -> bool:
        """Whether a good signature of a key from outside covers every row."""
        if "checkpoint.json" not in self.files:
            self.notes.append("The bundle has no signed checkpoint.")
            return False
        if outside is None and "public_key.pem" not in self.files:
            self.notes.append("The checkpoint's signature was not checked: give --public-key.")
            return False
        try:
            point_in = self._signed_at()
            names = ("origin", "position", "chain", "at")
            text = "".join(
                f"{line}\n" for line in ("broadcaster checkpoint 1", *(point_in[n] for n in names))
            )
            key = raw_key(outside if outside is not None else self.files["public_key.pem"])
            good = signed(key, base64.b64decode(point_in["signature"]), text.encode())
        except (KeyError, ValueError, TypeError, FaultError) as error:
            self.faults.append(f"the checkpoint or the public key cannot be read ({error})")
            return False
        if not good:
            self.faults.append("the checkpoint's signature is not that of the public key")
            return False
        position = point_in["position"]
        self.notes.append(
            f"Checkpoint: position {position}, signed at {point_in['at']} by {point_in['origin']}."
        )
        if outside is None:
            self.notes.append(
                "The key is the bundle's own: get the city's key elsewhere, give --public-key."
            )
        if chain is None:
            return False
        if position not in chain:
            self.notes.append(f"No row of the run stands at the checkpoint's position {position}.")
            return False
        if chain[position] != point_in["chain"]:
            self.faults.append(f"the chain at position {position} is not the signed one: rewritten")
            return False
        late = [each for each in self.rows if each > position]
        if late:
            self.notes.append(f"{len(late)} rows are later than the checkpoint, from position {min(late)}.")
        return outside is not None and not late

    def _signed_at(self) -> "dict[str, Any]":
        """What the checkpoint says; nothing where it cannot be read."""
        try:
            found = json.loads(self.files["checkpoint.json"])
            return found if type(found["position"]) is int else {}
        except (KeyError, ValueError, TypeError):
            return {}

    def _lines(self, name: str) -> "list[str]":
        return self.files.get(name, b"").decode("utf-8", "replace").rstrip("\n").split("\n")


def verdict(
    files: "dict[str, bytes]", outside: "bytes | None", export: "Iterable[str] | None"
) -> "tuple[int, list[str]]":
    """The exit code and the words."""
    check = Check(files)
    check.listed()
    check.own_rows()
    try:
        check.footing()
    except (KeyError, ValueError, TypeError, AttributeError):
        check.faults.append("what the alert stood on cannot be read")
    chain = check.run_of(export)
    proven = check.checkpoint(chain, outside)
    words = [f"Evidence of alert {check.alert}: {len(check.rows)} events.", *check.notes]
    if check.faults:
        words += [f"BAD: {fault}." for fault in check.faults[:20]]
        return ALTERED, [*words, "VERDICT: ALTERED. This bundle is not what the log recorded."]
    if proven:
        words.append(
            f"Up to position {check.limit} no event that names the alert is left out, nor one of a body, "
            "role, delegation or area register it stood on."
        )
        return PROVEN, [*words, "VERDICT: PROVEN. Every event here is in the log that the city signed."]
    if chain is None:
        words.append(
            "Each event fits its own hash; that they are in the log needs --export, or a whole bundle."
        )
    return UNPROVEN, [
        *words,
        "VERDICT: NOTHING WRONG FOUND, BUT NOT PROVEN. See above for what is missing.",
    ]


def main() -> int:
    """Runs from the command line."""
    options = argparse.ArgumentParser(description="Checks an evidence bundle of one alert.")
    options.add_argument("bundle", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    options.add_argument("--public-key", type=Path, help="the city's public key (PEM), had from elsewhere")
    options.add_argument("--export", type=Path, help="the full log, as `broadcaster log export` prints it")
    given = options.parse_args()
    outside = given.public_key.read_bytes() if given.public_key else None
    try:
        files = files_of(given.bundle)
    except FaultError as fault:
        code, words = ALTERED, [f"BAD: {fault}.", "VERDICT: ALTERED. The bundle cannot be opened whole."]
    else:
        if given.export:
            with given.export.open(encoding="utf-8", errors="replace", newline="\n") as export:
                code, words = verdict(files, outside, export)
        else:
            code, words = verdict(files, outside, None)
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write("\n".join(words) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
