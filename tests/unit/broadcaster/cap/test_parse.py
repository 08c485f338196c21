"""Messages of others: what is refused, what is taken with a warning, and what each rule sees."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from lxml import etree

from broadcaster import reference
from broadcaster.cap import importer, importer_terms, moments, rules
from broadcaster.cap.importer import Choices, Imported
from broadcaster.cap.model import CapMessage, CapRefusedError
from broadcaster.cap.parse import MAX_BYTES, parse
from schemas.content import Certainty
from tests.unit.broadcaster.cap.told import ALERT, AT, CORPUS, EDITION, schema

HEAD = '<?xml version="1.0"?>'


def mended(*changes: str) -> CapMessage:
    """The message with the first text of each pair replaced by the second."""
    text = ALERT
    for old, new in zip(changes[::2], changes[1::2], strict=True):
        assert old in text
        text = text.replace(old, new)
    return parse(text.encode())


def taken(message: CapMessage, at: Any = AT, **chosen: Any) -> Imported:
    return importer.to_content(
        message,
        Choices(**chosen),
        tree=reference.tree(EDITION),
        categories=reference.categories(),
        at=at,
    )


def test_a_sound_message_has_no_finding() -> None:
    schema().assertValid(etree.fromstring(ALERT.encode()))
    assert rules.check(mended()) == ()


BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + ALERT, "dtd"),
        (
            '<!DOCTYPE alert [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
            + ALERT.replace("Mưa to.", "&x;"),
            "dtd",
        ),
        ('<!DOCTYPE alert SYSTEM "http://127.0.0.1:9/cap.dtd">' + ALERT, "dtd"),
        (f'<!DOCTYPE alert [<!ENTITY a0 "ha">{BOMB}]>' + ALERT.replace("Mưa to.", "&a11;"), "dtd"),
        ("<!DOCTYPE alert>" + ALERT, "dtd"),
        (ALERT.replace("Mưa to.", "&x;"), "not-xml"),
        (ALERT.replace("cap:1.2", "cap:1.1"), "namespace"),
        ("<alert/>", "namespace"),
        (ALERT.replace("</alert>", ""), "not-xml"),
        ("", "not-xml"),
        ("<a>" * 5000, "not-xml"),
        (" " * (MAX_BYTES + 1), "size"),
    ],
)
def test_what_is_hostile_or_no_cap_is_refused_by_name(text: str, rule: str) -> None:
    with pytest.raises(CapRefusedError) as refused:
        parse(HEAD.encode() + text.encode())
    assert refused.value.rule == rule
    assert "hostname" not in refused.value.detail


def test_a_signed_message_is_taken_and_its_signature_not_believed() -> None:
    signature = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignedInfo/></Signature>'
    message = mended("</info></alert>", f"</info>{signature}</alert>")
    assert rules.breaches(message) == ()
    assert [finding.rule for finding in taken(message).findings] == ["W-signature"]


@pytest.mark.timeout(60)  # A search without bounds takes minutes.
def test_no_message_takes_long_to_judge() -> None:
    message = mended("Mưa to.", "&lt;a" * 100_000, GEO, GEO + "<x/>" * 20_000)
    assert len(rules.check(message)) < 100


GEO = "<geocode><valueName>VN-ADMIN-2020-03-01</valueName><value>01</value></geocode>"
REFS = "<scope>Public</scope>"


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("x.1", "", "R-required"),
        ("<areaDesc>Hà Nội</areaDesc>", "", "R-required"),
        ("x.1", "x,1", "R-name"),
        ("a@b", "a b", "R-name"),
        ("x.1", "x&lt;1", "R-name"),
        ("<sent>2024-07-10T09:00:00+07:00", "<sent>2024-07-10T02:00:00Z", "R-time"),
        ("<sent>2024-07-10T09:00:00", "<sent>2024-07-10T09:00:00.5", "R-time"),
        ("<sent>2024-07-10T09", "<sent>2024-13-10T09", "R-time"),
        ("<sent>2024-07-10T09:00:00+07:00", "<sent>2024-07-10T02:00:00+00:00", "R-utc-plus"),
        ("Actual", "Real", "R-value"),
        ("Actual", "Draft", "R-draft"),
        ("<category>Met", "<category>Weather", "R-value"),
        ("Monitor", "Run", "R-value"),
        ("<msgType>Alert", "<msgType>Cancel", "R-refs-missing"),
        (REFS, f"{REFS}<references>a@b,x.1,2024-07-10T09:00:00+07:00</references>", "R-refs-self"),
        (REFS, f"{REFS}<references>a@b,x.0</references>", "R-refs-form"),
        (REFS, f"{REFS}<references>a@b,x.0,2024-07-11T09:00:00+07:00</references>", "R-refs-later"),
        ("Public", "Private", "R-addresses"),
        ("Public", "Restricted", "R-restriction"),
        (REFS, f"{REFS}<restriction>x</restriction>", "R-restriction"),
        (REFS, f'{REFS}<incidents>"a b</incidents>', "R-quotes"),
        (GEO, "<polygon>1,2 3,4 1,2</polygon>", "R-poly-<4"),
        (GEO, "<polygon/>", "R-poly-<4"),
        (GEO, "<polygon>1,2 3,4 5,6 7,8</polygon>", "R-poly-open"),
        (GEO, "<polygon>106,21 105,21 105,20 106,21</polygon>", "R-poly-form"),
        (GEO, "<circle>21,105 -1</circle>", "R-circle"),
        (GEO, "<circle>near</circle>", "R-circle"),
        (GEO, f"{GEO}<ceiling>10</ceiling>", "R-ceiling"),
        (GEO, f"{GEO}<altitude>20</altitude><ceiling>10</ceiling>", "R-ceiling"),
        (GEO, GEO.replace("VN-ADMIN-2020-03-01", ""), "R-code"),
        ("<contact>", "<web>page.html</web><contact>", "R-web"),
        (REFS, f"{REFS}<source>late</source>", "R-order"),
        ("<headline>", "<headline>x</headline><headline>", "R-order"),
        (GEO, f"{GEO}<extra/>", "R-order"),
        (GEO, "", "W-area-desc-only"),
        ("<expires>2024-07-10T15:00:00+07:00</expires>", "", "W-no-expires"),
        ("<expires>2024-07-10T15", "<expires>2024-07-10T09", "W-expires<=sent"),
        ("Actual", "Exercise", "W-exercise-note"),
        ("<description>Mưa to.", "<description>Mưa", "W-headline-again"),
        ("Mưa to.", "Mưa &lt;b&gt;to&lt;/b&gt;.", "W-markup"),
        ("Likely", "Unknown", "W-unknown"),
        ("<instruction>Ở nhà.</instruction>", "", "W-no-instruction"),
    ],
)
def test_each_rule_sees_its_breach(old: str, new: str, rule: str) -> None:
    assert rule in {finding.rule for finding in rules.check(mended(old, new))}


def index() -> Iterator[tuple[str, bool, set[str]]]:
    if not CORPUS.is_dir():
        return
    for line in (CORPUS / "index.tsv").read_text(encoding="utf-8").splitlines():
        name, valid, *found = line.split("\t")
        yield name, valid == "VALID", set(" ".join(found).split())


# Its last pair is 21.280 where the first is 21.28: the same place, which only its spelling hides.
SAME_PLACE = {"sambro/tsunami.xml": {"R-poly-open"}}


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real messages is not on this machine")
def test_real_messages_are_read_and_their_faults_named() -> None:
    drafts = 0
    for name, valid, known in index():
        message = parse((CORPUS / name).read_bytes())
        found = rules.check(message)
        assert known - SAME_PLACE.get(name, set()) <= {finding.rule for finding in found}, name
        if not valid:
            assert any(finding.is_breach for finding in found), name
        sent = moments.read(message.sent)
        assert sent is not None
        try:
            imported = taken(message, sent - timedelta(days=1), category="bao", areas=("01",))
        except CapRefusedError as refusal:
            assert refusal.rule in {"status", "msg-type", "scope", "expired"}, (name, refusal)
            continue
        drafts += 1
        assert set(found) <= set(imported.findings)
        assert imported.content.text("vi").headline
    assert drafts >= 12


def test_a_draft_of_another_s_alert() -> None:
    imported = taken(mended())
    content = imported.content
    assert (content.category, content.areas, content.certainty) == ("mua_lon", ("01",), Certainty.LIKELY)
    assert content.expires_at == moments.read("2024-07-10T15:00:00+07:00")
    assert imported.findings == ()


@pytest.mark.parametrize(
    ("changes", "chosen", "rule"),
    [
        (("Actual", "System"), {}, "status"),
        (("<msgType>Alert", "<msgType>Cancel"), {}, "msg-type"),
        (("Public", "Private"), {}, "scope"),
        (("Mưa lớn", "Sương mù"), {}, "category"),
        (("VN-ADMIN-2020-03-01", "SAME"), {}, "area"),
        (("<value>01", "<value>99999"), {}, "area"),
        (("<expires>2024-07-10T15", "<expires>2024-07-10T08"), {}, "expired"),
        ((), {"risk_level": 9}, "content"),
    ],
)
def test_what_cannot_become_a_draft_says_why(
    changes: tuple[str, ...], chosen: dict[str, Any], rule: str
) -> None:
    with pytest.raises(CapRefusedError) as refused:
        taken(mended(*changes), **chosen)
    assert refused.value.rule == rule


@pytest.mark.parametrize(
    ("changes", "chosen", "rule"),
    [
        (("vi-VN", "fr-FR"), {}, "W-not-vietnamese"),
        (("Mưa to.", "Mưa to. " * 400), {}, "W-cut"),
        (("Severe<", "Bad<"), {}, "W-severity"),
        (("2020-03-01</valueName>", "2099-01-01</valueName>"), {"areas": ("00001",)}, None),
        (
            ("<value>01", "<value>99999</value></geocode>" + GEO.removesuffix("</value></geocode>")),
            {},
            "W-geocode",
        ),
        (("<expires>2024-07", "<expires>2025-07"), {}, "W-expires-far"),
        (("Likely", "Very Likely"), {}, None),
    ],
)
def test_what_was_lost_is_named(changes: tuple[str, ...], chosen: dict[str, Any], rule: str | None) -> None:
    found = {finding.rule for finding in taken(mended(*changes), **chosen).findings}
    assert rule is None or rule in found


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ("Cảnh báo mưa lớn", "mua_lon"),
        ("EARTHQUAKE", "dong_dat"),
        ("Urban flooding", "ngap_ung"),
    ],
)
def test_the_category_by_words(event: str, code: str) -> None:
    assert taken(mended("<event>Mưa lớn", f"<event>{event}")).content.category == code


def test_the_category_as_the_only_one_of_its_kind() -> None:
    info = mended("<event>Mưa lớn", "<event>Tremor", "<category>Met", "<category>Geo").infos[0]
    known = {code: reference.categories()[code] for code in ("dong_dat", "mua_lon")}
    assert importer_terms.category(info, None, known) == "dong_dat"
    with pytest.raises(CapRefusedError, match="name one"):
        importer_terms.category(info, None, reference.categories())  # a landslide is of that kind too
