"""Times, days and money as their reader knows them."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from console.money import count_decimals, format_dollars
from console.reader_zone import COOKIE, zone_named
from costs.models import Cost
from intents.models import Event

PAGE = "costs/overview/"
TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.fixture
def in_berlin(person):
    reader = person("viewer")
    reader.client.cookies[COOKIE] = "Europe/Berlin"
    return reader


def spend(api, intent, amount, at):
    cost = api.post(f"/intents/{intent['id']}/costs", {"cost_type": "tokens", "amount": amount, "unit": "USD", "agent_id": "ada"})
    Cost.objects.filter(pk=cost.json()["id"]).update(recorded_at=at)


def days(page):
    table = page.partition('id="oi-days"')[2].partition("</table>")[0]
    return dict(re.findall(r'<th scope="row">([^<]*)</th><td class="oi-right">([^<]*)<', table))


@pytest.mark.case("console M5")
def test_times_are_those_of_the_reader_and_tell_utc(in_berlin, agent, make_intent):
    lease = agent("ada").post(f"/intents/{make_intent()['id']}/leases", {"scope": "flights"}).json()

    page = in_berlin.get(f"leasing/lease/{lease['id']}/change/").text

    found = re.search(r'<dt>Acquired</dt>.*?tabindex="0" title="([^"]*) UTC">([^<]*) (CES?T)</time>', page, re.DOTALL)
    utc, local = (datetime.strptime(each, "%d %b %Y %H:%M:%S") for each in found.groups()[:2])
    assert local - utc == timedelta(hours=2 if found[3] == "CEST" else 1)


@pytest.mark.case("console M5")
def test_costs_are_counted_by_the_days_of_the_reader(api, in_berlin, make_intent):
    intent = make_intent()
    spend(api, intent, 1, datetime(2026, 3, 28, 22, 59, tzinfo=UTC))  # 23:59
    spend(api, intent, 2, datetime(2026, 3, 28, 23, 0, tzinfo=UTC))  # 0:00, an hour before summer time begins.
    spend(api, intent, 4, datetime(2026, 3, 29, 21, 59, tzinfo=UTC))  # 23:59 of summer time
    spend(api, intent, 8, datetime(2026, 3, 29, 22, 0, tzinfo=UTC))

    page = in_berlin.get(PAGE, {"from": "2026-03-28", "until": "2026-03-30"}).text
    one = in_berlin.get(PAGE, {"from": "2026-03-29", "until": "2026-03-29"}).text

    assert days(page) == {"28 Mar 2026": "$1.00", "29 Mar 2026": "$6.00", "30 Mar 2026": "$8.00"}
    assert days(one) == {"29 Mar 2026": "$6.00"}
    assert "30 Mar 2026 (CE" in page


def test_a_reader_without_a_known_zone_reads_utc(person, make_intent):
    reader = person("viewer")
    for name in ("", "Nowhere/Land", "../../etc/passwd", "/etc", "Europe", "x" * 3000):
        reader.client.cookies[COOKIE] = name
        assert "(UTC)" in reader.get("agents/").text or reader.get("agents/").status_code == 200
        assert zone_named(name).key == "UTC"


@pytest.mark.case("console L1")
def test_amounts_of_a_column_have_the_same_number_of_decimals(api, person, make_intent):
    intent = make_intent()
    for amount in (116.4726, 0.114, 30.12, 7):
        spend(api, intent, amount, datetime.now(UTC))

    page = person("viewer").get("costs/cost/").text

    assert re.findall(r'oi-number">(\$[^<]*)<', page) == ["$7.0000", "$30.1200", "$0.1140", "$116.4726"]
    assert (format_dollars("1234.5"), format_dollars("0.1234567"), count_decimals([])) == ("$1,234.50", "$0.1234567", 2)


@pytest.mark.case("console L19")
def test_language_and_dates_of_a_page_agree(client, person, make_intent):
    """The texts are English of no country in particular, and so is a date with the name of its month."""
    make_intent(title="Porto")
    event = Event.objects.latest("row")
    pages = [person("viewer").get(f"intents/event/{event.pk}/change/").text, client.get("/admin/login/").text]

    assert [re.search('<html lang="([^"]*)"', each)[1] for each in pages] == ["en", "en"]
    assert f">{event.created_at:%-d %b %Y} {event.created_at:%H:%M:%S}" in pages[0]
    written = [path.read_text() for path in [*TEMPLATES.rglob("*.html")]]
    assert not any(re.search(r"\|(date|time)\s*[|}]", each) for each in written), "Django would write Nov. 29, 2026"
