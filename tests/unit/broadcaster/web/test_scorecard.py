"""The scorecard of the cadence, for everyone, where the city shows it."""

from tests.unit.broadcaster.web.town import Town


def test_it_ranks_the_bodies_of_a_level(town: Town) -> None:
    town.issue()
    town.later(days=10)
    town.catch_up()
    page = town.client().get("/cadence?level=3")
    assert page.status_code == 200
    phuc_xa, hang_bac = (page.text.index(name) for name in ("Phúc Xá", "Hàng Bạc"))
    assert phuc_xa < hang_bac
    assert "UBND thành phố" not in page.text
    assert "UBND thành phố" in town.client().get("/cadence").text
    assert "Cadence scorecard" in town.client().get("/cadence?lang=en").text
    assert town.client().get("/cadence?level=9").status_code == 422


def test_it_is_not_there_unless_the_city_shows_it(town: Town) -> None:
    town.cadence_public = False
    town.open()
    assert town.client().get("/cadence").status_code == 404
