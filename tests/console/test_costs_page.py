"""The page of costs: exact sums of each unit by itself, chosen by period, agent, portfolio and intent; and all of them as CSV."""

import csv
import re
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from console.costs import views as page_of_costs
from console.csv_export import escape_formulas
from console.money import format_dollars
from core.ids import first_id_at, new_id
from costs.models import Cost

PAGE, EXPORT = "costs/overview/", "costs/export/"


@pytest.fixture
def intent(make_intent):
    return make_intent(title="=cmd|'/c calc'!A1")


@pytest.fixture
def spend(api, intent):
    def spent(amount, unit="USD", *, agent="ada", on=None, model=None, cost_type="tokens"):
        body = {"agent_id": agent, "cost_type": cost_type, "amount": amount, "unit": unit, "model": model}
        response = api.post(f"/intents/{(on or intent)['id']}/costs", body)
        assert response.status_code == 201, response.json()
        return response.json()

    return spent


def total(page):
    return re.search(r'class="oi-total"><b>([^<]*)', page)[1]


def rows(response):
    return [*csv.DictReader(response.getvalue().decode().splitlines())]


def days_ago(number, intent):
    """A cost of so many days ago, as it was written then."""
    at = datetime.now(UTC) - timedelta(days=number)
    pk = first_id_at(at).int | (new_id().int & (2**80 - 1))
    fields = {"agent_id": "ada", "cost_type": "tokens", "whole": 1, "parts": 0, "unit": "USD", "recorded_at": at}
    return Cost.objects.create(id=UUID(int=pk), intent_id=intent["id"], **fields)


@pytest.mark.rule("C-2")
def test_money_is_added_up_exactly_and_other_units_stand_apart(person, spend):
    spend("0.1")
    spend("0.2")
    spend(5, "cents")
    spend("0.000000000001")
    spend(1200, "tokens")
    vera = person("viewer")

    assert total(vera.get(PAGE).text) == "$0.350000000001"
    assert total(vera.get(PAGE, {"unit": "tokens"}).text) == "1,200 tokens"
    assert 'aria-current="true">USD<' in vera.get(PAGE).text


@pytest.mark.rule("C-2")
@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "$0.00"),
        ("6.1", "$6.10"),
        ("0.111", "$0.1110"),
        ("1234.5", "$1,234.50"),
        ("1E-7", "$0.0000001"),
        ("1E+3", "$1,000.00"),
    ],
)
def test_dollars_have_two_or_four_decimals_and_all_digits(amount, shown):
    assert format_dollars(amount) == shown


def test_without_money_the_most_used_unit_is_shown_and_none_are_mixed(person, spend):
    spend(3, "images")
    spend(1, "tokens")
    spend(1, "tokens")

    page = person("viewer").get(PAGE).text

    assert total(page) == "2 tokens"
    assert ">images</a>" in page


def test_each_breakdown_has_every_name_with_its_sum_and_number(person, spend):
    spend("1.5", agent="ada", model="gpt-5")
    spend("2", agent="ada", model=None, cost_type="search")
    spend("3", agent="<b>bob</b>", model="gpt-5")

    page = person("viewer").get(PAGE).text

    for agent, amount in (("ada", "$3.50"), ("&lt;b&gt;bob&lt;/b&gt;", "$3.00")):
        assert re.search(rf'<th scope="row">{agent}<svg.*?</th>\s*<td[^>]*>{re.escape(amount)}<', page, re.DOTALL), agent
    assert "not specified" in page
    assert "<b>bob</b>" not in page


def test_report_has_the_sum_of_each_provider(person, api, intent):
    for provider, amount in (("anthropic", 3), ("anthropic", 1), ("google", 2)):
        body = {"agent_id": "ada", "cost_type": "tokens", "amount": amount, "unit": "USD", "provider": provider}
        assert api.post(f"/intents/{intent['id']}/costs", body).status_code == 201

    page = person("viewer").get(PAGE).text

    for provider, amount in (("anthropic", "$4.00"), ("google", "$2.00")):
        assert re.search(rf'<th scope="row">{provider}<svg.*?</th>\s*<td[^>]*>{re.escape(amount)}<', page, re.DOTALL), provider


def test_a_period_has_its_days_and_no_others(person, spend, intent):
    spend("1")
    days_ago(3, intent)
    days_ago(40, intent)
    vera = person("viewer")

    expected = {"today": "$1.00", "7": "$2.00", "30": "$2.00", "90": "$3.00", "all": "$3.00"}
    assert {period: total(vera.get(PAGE, {"period": period}).text) for period in expected} == expected
    first = (datetime.now(UTC) - timedelta(days=40)).date().isoformat()
    page = vera.get(PAGE, {"from": first, "until": first}).text
    assert total(page) == "$1.00"
    assert page.count('class="oi-column-bar"') == 1


@pytest.mark.parametrize(
    "query",
    [
        {"from": "0001-01-01"}, {"until": "9999-12-31"}, {"from": "", "until": ""}, {"period": ""},
        {"from": "2030-01-01", "until": "2020-01-01"}, {"unit": "<script>"}, {"agent": "'; DROP TABLE"},
    ],
)  # fmt: skip
def test_any_parameters_get_a_report(person, spend, query):
    spend("1")

    assert person("viewer").get(PAGE, query).status_code == 200


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"from": "x"}, "“From” is no date: &#x27;x&#x27;. Use one such as 2026-11-29."),
        ({"until": "2020-13-01"}, "“Until” is no date: &#x27;2020-13-01&#x27;. Use one such as 2026-11-29."),
        ({"period": "nonsense"}, "Unknown period: &#x27;nonsense&#x27;."),
    ],
)
def test_no_report_is_given_of_an_unknown_period(person, spend, query, told):
    spend("1")
    vera = person("viewer")

    page, export = vera.get(PAGE, query), vera.get(EXPORT, query)

    assert (page.status_code, export.status_code) == (400, 400)
    assert told in page.text
    assert "$1.00" not in page.text


@pytest.mark.parametrize("name", ["portfolio", "intent"])
@pytest.mark.parametrize("value", ["nonsense", str(UUID(int=0))])
def test_unknown_portfolio_or_intent_is_not_found(person, name, value):
    assert person("viewer").get(PAGE, {name: value}).status_code == 404


def test_report_is_filtered_by_agent_portfolio_and_intent_subtree(person, api, spend, make_intent, intent):
    below = make_intent(parent_intent_id=intent["id"])
    other = make_intent()
    portfolio = api.post("/portfolios", {"name": "Launch"}).json()
    api.post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": other["id"]})
    spend("1")
    spend("2", on=below, agent="bob")
    spend("4", on=other)
    vera = person("viewer")

    assert total(vera.get(PAGE, {"intent": intent["id"]}).text) == "$3.00"
    assert total(vera.get(PAGE, {"portfolio": portfolio["id"]}).text) == "$4.00"
    assert total(vera.get(PAGE, {"agent": "ada"}).text) == "$5.00"
    assert "No costs match" in vera.get(PAGE, {"agent": "nobody"}).text


def test_many_months_are_columns_of_a_month(person, intent):
    for number in range(0, 400, 40):
        days_ago(number, intent)

    page = person("viewer").get(PAGE, {"period": "all"}).text

    assert "By month" in page
    assert 12 <= page.count('class="oi-column-bar"') <= 14


def test_the_csv_has_every_row_of_every_batch_and_every_digit(person, spend, monkeypatch):
    monkeypatch.setattr(page_of_costs, "BATCH", 2)
    spent = [spend(amount) for amount in ("0.1", "0.000000000001", "1000000", "3", "4")]

    response = person("viewer").get(EXPORT)

    found = rows(response)
    assert [row["id"] for row in found] == [each["id"] for each in spent]
    assert [row["amount"] for row in found] == ["0.1", "0.000000000001", "1000000", "3", "4"]
    assert response.headers["Content-Disposition"].endswith(f'-{date.today()}.csv"')


def test_the_csv_has_what_the_page_shows(person, spend):
    spend("1", agent="ada")
    spend("2", agent="bob")
    spend(7, "tokens", agent="bob")

    vera = person("viewer")
    assert [row["amount"] for row in rows(vera.get(EXPORT, {"agent": "bob"}))] == ["2", "7"]
    assert [row["amount"] for row in rows(vera.get(EXPORT, {"agent": "bob", "unit": "USD"}))] == ["2"]


def test_a_spreadsheet_computes_nothing_of_the_csv(person, spend):
    spend("1", agent="+1+1", model="@SUM(A1)", cost_type="-2")

    [row] = rows(person("viewer").get(EXPORT))

    assert row["intent"] == "'=cmd|'/c calc'!A1"
    assert (row["agent_id"], row["model"], row["cost_type"]) == ("'+1+1", "'@SUM(A1)", "'-2")


SIGNS = ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "⁼", "₊"]
BEFORE = ["", " ", "   ", "\t", "\r", "\n", "\r\n", "\v", "\0", "\x1b", "\xa0", "\u200b", "\u200d", "\ufeff", "\u2060", "\u202e", "\u2028", "\u3000", "\u00ad",
          "\ufe0f", "\u034f", " \u200b\t"]  # fmt: skip


@pytest.mark.case("security CSV")
@pytest.mark.parametrize("sign", SIGNS, ids=ascii)
def test_csv_escapes_spreadsheet_formulas(sign):
    for before in BEFORE:
        written = escape_formulas(f"{before}{sign}1+1")
        assert written.startswith("'")
        assert written.replace("'", "") == f"{before}{sign}1+1"


@pytest.mark.case("security CSV")
@pytest.mark.parametrize("sign", SIGNS, ids=ascii)
def test_no_cell_of_another_country_s_spreadsheet_is_a_formula(sign):
    for separator in ";\t\r\n":
        assert escape_formulas(f"a{separator} {sign}1") == f"a{separator}' {sign}1"


@pytest.mark.parametrize(
    "text", ["", "a", "a=1", "1-1", "Ada + Bob", "a, =1", "–1", "ada@example.com", " a", '{"a":-1}', "日本", "'=1", "a;b"]
)
def test_other_text_is_left_as_it_is(text):
    assert escape_formulas(text) == text


def test_costs_are_for_who_may_look(person, client):
    nora = person(None, "nora")

    for path in (PAGE, EXPORT):
        assert nora.get(path).status_code in (302, 403)
        assert client.get(f"/admin/{path}").status_code == 302
        assert person("viewer", f"vera-{path[6:9]}").client.post(f"/admin/{path}").status_code == 405


def test_the_page_costs_the_same_queries_whatever_there_is(person, spend):
    spend("1")
    vera = person("viewer")
    before = vera.queries(PAGE)
    for number in range(20):
        spend("1", agent=f"agent-{number}", model=f"model-{number}", unit=["USD", "cents", "tokens"][number % 3])

    assert vera.queries(PAGE) == before <= 8
    assert "others" in vera.get(PAGE).text
