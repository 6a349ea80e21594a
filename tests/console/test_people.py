"""People in the console: let in by a link, given a role, switched off; and what nobody can do to himself or to the last operator."""

import json
import logging
import os
import re
from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from access import accounts
from access.models import Role
from access.people import live_sessions, role_of
from config.errors import Forbidden
from console import passwords, throttle
from tests.databases import migrated_database
from tests.processes import run

PEOPLE = "auth/user"
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def olga(person):
    """An operator who can sign in."""
    return with_password(person("operator", "olga"))


@pytest.fixture
def vera(person):
    return with_password(person("viewer", "vera"))


def with_password(someone):
    someone.user.set_password(PASSWORD)
    someone.user.save()
    someone.client.force_login(someone.user)
    return someone


def root(person):
    """A superuser."""
    someone = person("operator", "root")
    someone.user.is_superuser = True
    return with_password(someone)


def now(someone):
    return User.objects.get(pk=someone.user.pk)


def page_of(someone):
    return f"{PEOPLE}/{someone.user.pk}/change/"


def buttons(page):
    return re.findall(r'class="oi-button"[^>]*>([^<]+)</(?:button|a)>', page.text)


def link_in(page):
    return re.search(r'id="oi-secret"[^>]*value="([^"]+)"', page.text)[1].replace("&amp;", "&").removeprefix("http://testserver")


def added(olga, name="nina", role="viewer"):
    return link_in(olga.post(f"{PEOPLE}/add/", {"name": name, "role": role}))


def opened(link, client=None):
    """The page without the token, as a browser comes to it."""
    client = client or Client()
    return client, client.get(link, follow=True)


def chosen(client, page, password=PASSWORD, again=None):
    fields = {"new_password1": password, "new_password2": again or password}
    return client.post(page.request["PATH_INFO"], fields)


def is_in(client):
    return client.get("/admin/").status_code == 200


def can_sign_in(name, password=PASSWORD):
    return Client().post("/admin/login/", {"username": name, "password": password}).status_code == 302


def rows():
    return [*User.objects.order_by("pk").values("username", "password", "is_active", "is_staff", "is_superuser", "groups")]


# --- the list and the page ---------------------------------------------------------------------------------------------


def test_the_list_says_who_is_what_and_when_he_was_there(person, olga, vera):
    person(None, "nora")
    accounts.add_person(name="paul", role="arbiter", by=olga.user.pk)
    accounts.switch_off(person_id=vera.user.pk, by=olga.user.pk)

    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", olga.get(f"{PEOPLE}/").text))

    assert re.search(r"olga you signed in \d+ s ago Operator", page)
    assert re.search(r"paul has never signed in · has no password yet Arbiter", page)
    assert re.search(r"nora signed in \d+ s ago · has no password yet No role cannot enter", page)
    assert re.search(r"vera signed in \d+ s ago Switched off was viewer", page)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {"olga", "root", "vera", "nora", "otto"}), ({"role": "operator"}, {"olga", "root"}), ({"role": "viewer"}, {"vera"}),
        ({"role": "arbiter"}, set()), ({"role": "none"}, {"nora"}), ({"role": "off"}, {"otto"}), ({"q": "ER"}, {"vera"}),
    ],
    ids=str,
)  # fmt: skip
def test_tabs_and_search_narrow_the_list(person, olga, vera, query, found):
    root(person), person(None, "nora")
    User.objects.filter(pk=person("arbiter", "otto").user.pk).update(is_active=False)

    page = olga.get(f"{PEOPLE}/", query)

    assert {each.username for each in page.context_data["people"]} == found


def test_a_page_says_what_somebody_may_and_did(api, make_intent, olga, person):
    judy = person("arbiter", "judy")
    intent = make_intent(title="Book <b>flights</b>")
    asked = api.post(f"/intents/{intent['id']}/arbitrate", {"reason": "May I?"}).json()
    judy.post(f"governance/arbitration/{asked['id']}/decide/", {"decision": "Yes"})

    page = olga.get(page_of(judy)).text

    assert "Arbiter: decides, and revokes leases" in page
    assert "in 1 browser<" in page
    assert "decision_recorded</a>" in page
    assert "Book &lt;b&gt;flights" in page
    assert f"/admin/intents/intent/{intent['id']}/change/" in page
    assert "/admin/intents/event/?actor=user%3Ajudy" in page


@pytest.mark.parametrize("role", ["viewer", "arbiter", None])
def test_people_are_for_operators_alone(person, olga, role):
    someone = person(role, "sam")
    User.objects.filter(pk=someone.user.pk).update(is_staff=True)
    before = rows()

    for path in (f"{PEOPLE}/", f"{PEOPLE}/add/", page_of(olga), f"{PEOPLE}/{olga.user.pk}/link/"):
        assert someone.get(path).status_code == 403
    assert someone.post(f"{PEOPLE}/add/", {"name": "x", "role": "operator"}).status_code == 403
    assert someone.post(f"{PEOPLE}/{olga.user.pk}/link/").status_code == 403
    for name in ("make_operator", "switch_off", "switch_on", "sign_out"):
        assert someone.act(PEOPLE, name, someone.user.pk).status_code == 403

    assert rows() == before
    assert f"/admin/{PEOPLE}/" not in someone.get("").text
    assert f"/admin/{PEOPLE}/" in olga.get("").text


def test_what_changes_a_person_needs_its_csrf_token(person, vera):
    olga = with_password(person("operator", "olga", enforce_csrf_checks=True))
    before = rows()

    chosen = {"action": "switch_off", "_selected_action": [vera.user.pk], "confirmed": "yes"}
    for path, fields in (
        (f"{PEOPLE}/", chosen), (f"{PEOPLE}/add/", {"name": "x", "role": "viewer"}), (f"{PEOPLE}/{vera.user.pk}/link/", {}),
    ):  # fmt: skip
        assert olga.post(path, fields).status_code == 403
    client = Client(enforce_csrf_checks=True)
    assert client.post(passwords.link(vera.user).partition("?")[0], {"new_password1": "x"}).status_code == 403

    assert rows() == before


def test_groups_and_deletion_are_nowhere(person, olga, vera):
    assert olga.get("auth/group/").status_code == 404
    boss = root(person)
    assert boss.get(f"{PEOPLE}/{vera.user.pk}/delete/").status_code == 403
    assert "delete" not in boss.get(page_of(vera)).text.lower()
    assert boss.act(PEOPLE, "delete_selected", vera.user.pk).status_code == 403


@pytest.mark.parametrize("path", [f"{PEOPLE}/", f"{PEOPLE}/{{}}/change/"])
def test_a_page_costs_the_same_queries_however_many_people_there_are(api, make_intent, person, olga, path):
    path = path.format(olga.user.pk)
    before = olga.queries(path)
    for number in range(6):
        person("arbiter", f"judy-{number}")
        make_intent(title=f"Number {number}")

    assert olga.queries(path) == before <= 16


# --- letting somebody in -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dev_mode", [True, False])
def test_somebody_new_sets_a_password_and_is_in_with_the_role_that_was_given(olga, settings, dev_mode):
    settings.DEV_MODE = dev_mode
    answer = olga.post(f"{PEOPLE}/add/", {"name": "nina", "role": "viewer"})
    nina = User.objects.get(username="nina")
    assert not nina.has_usable_password()
    assert "no-store" in answer.headers["Cache-Control"]
    assert "once, until" in answer.text

    client, page = opened(link_in(answer))
    assert "You sign in as <b" in page.text
    done = chosen(client, page)

    assert done.headers["Location"] == "/admin/"
    assert is_in(client)
    nina = User.objects.get(username="nina")
    assert role_of(nina) == Role.OBSERVER
    assert can_sign_in("nina")
    assert "API keys" in client.get("/admin/").text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "This field is required"), ("system", "cannot stand in the log"), ("x" * 151, "at most 150"), ("a b", "valid username"),
        ("<script>", "valid username"), ("OLGA", "an account &#x27;olga&#x27; already"), ("vera", "Switch it on again"),
    ],
)  # fmt: skip
def test_a_name_that_is_no_good_is_refused_at_its_field(olga, vera, name, said):
    accounts.switch_off(person_id=vera.user.pk, by=olga.user.pk)
    before = rows()

    page = olga.post(f"{PEOPLE}/add/", {"name": name, "role": "viewer"})

    assert said in page.text
    assert "oi-secret" not in page.text
    assert rows() == before


def test_an_unknown_role_is_refused(olga):
    assert 'class="oi-bad"' in olga.post(f"{PEOPLE}/add/", {"name": "nina", "role": "king"}).text
    assert not User.objects.filter(username="nina").exists()


def test_a_link_works_once(olga):
    link = added(olga)
    chosen(*opened(link))

    client, page = opened(link)

    assert page.status_code == 404
    assert "This link does not work" in page.text
    chosen(client, page, "another good password")
    assert not can_sign_in("nina", "another good password")


def test_of_two_who_have_opened_the_link_one_sets_the_password(olga):
    link = added(olga)
    first, second = opened(link), opened(link)

    chosen(*first)
    late = chosen(*second, "another good password")

    assert late.status_code == 404
    assert not is_in(second[0])
    assert can_sign_in("nina")


def test_what_is_set_meanwhile_is_not_set_over(olga, monkeypatch):
    """Both have passed the look at the token by then."""
    client, page = opened(added(olga))
    hashed = User.set_password

    def slowly(person, password):
        hashed(person, password)
        User.objects.filter(pk=person.pk).update(password="md5$$set-by-another")

    monkeypatch.setattr(User, "set_password", slowly)
    late = chosen(client, page)

    assert late.status_code == 404
    assert not is_in(client)
    assert User.objects.get(username="nina").password == "md5$$set-by-another"


def test_a_link_is_dead_after_its_time(olga, settings, monkeypatch):
    link = added(olga)
    end = datetime.now() + timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)

    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: end - timedelta(seconds=5))
    assert opened(link)[1].status_code == 200
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda self: end + timedelta(seconds=5))
    assert opened(link)[1].status_code == 404


@pytest.mark.parametrize("change", [lambda link: link[:-1] + "x0"[link[-1] == "x"], lambda link: link.replace("/enter/", "/enter/x"),
                                    lambda link: re.sub("token=.*", "token=", link), lambda link: link.partition("?")[0]],
                         ids=["token", "person", "no token", "nothing"])  # fmt: skip
def test_a_link_that_was_tampered_with_is_nothing(olga, change):
    client, page = opened(change(added(olga)))

    assert page.status_code == 404
    assert "new_password1" not in page.text
    assert not client.session.keys()


def test_the_link_of_one_is_not_another_s(olga, vera):
    link = added(olga)
    mine = passwords.link(vera.user).partition("?")[0]

    assert opened(mine + "?" + link.partition("?")[2])[1].status_code == 404
    client, _ = opened(link)
    assert client.get(mine).status_code == 404


def test_who_is_switched_off_sets_no_password(olga):
    link = added(olga)
    client, page = opened(link)
    accounts.switch_off(person_id=User.objects.get(username="nina").pk, by=olga.user.pk)

    assert chosen(client, page).status_code == 404
    assert opened(link)[1].status_code == 404
    assert not User.objects.get(username="nina").has_usable_password()


def test_a_new_link_ends_those_of_somebody_without_a_password(olga):
    old = added(olga)
    nina = User.objects.get(username="nina")

    new = link_in(olga.post(f"{PEOPLE}/{nina.pk}/link/"))

    assert opened(old)[1].status_code == 404
    client, page = opened(new)
    chosen(client, page)
    assert is_in(client)


def test_a_forgotten_password_works_until_the_new_one_is_set_which_ends_other_sessions(olga, vera):
    User.objects.filter(pk=vera.user.pk).update(last_login=timezone.now() - timedelta(hours=1))
    link = link_in(olga.post(f"{PEOPLE}/{vera.user.pk}/link/"))
    assert can_sign_in("vera")
    client, page = opened(link_in(olga.post(f"{PEOPLE}/{vera.user.pk}/link/")))

    assert opened(link)[1].status_code == 404  # She has signed in since.
    chosen(client, page, "another good password")

    assert is_in(client)
    assert not is_in(vera.client)
    assert not can_sign_in("vera")
    assert can_sign_in("vera", "another good password")


@pytest.mark.parametrize(
    ("password", "again", "said"),
    [
        ("short", None, "too short"),
        ("password123", None, "too common"),
        ("nina-the-first", None, "too similar"),
        (PASSWORD, "x", "match"),
    ],
)
def test_a_password_that_is_no_good_is_refused_and_the_link_still_works(olga, password, again, said):
    client, page = opened(added(olga, "nina-the-first"))

    refused = chosen(client, page, password, again)

    assert said in refused.text
    assert not User.objects.get(username="nina-the-first").has_usable_password()
    assert chosen(client, page).status_code == 302


def test_the_token_goes_nowhere(olga, caplog):
    link = added(olga)
    token = link.partition("token=")[2]
    client = Client()

    with caplog.at_level(logging.INFO, "openintent"):
        moved = client.get(link)
        page = client.get(moved.headers["Location"])

    assert token not in moved.headers["Location"]
    assert moved.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in moved.headers["Cache-Control"]
    assert "no-store" in page.headers["Cache-Control"]
    assert token not in page.text
    said = [f"{record.getMessage()} {vars(record).get('fields')}" for record in caplog.records]
    assert any("/admin/enter/" in line for line in said)
    assert not any(token in line for line in said)


def test_who_guesses_tokens_is_stopped(olga):
    link = added(olga)
    for number in range(throttle.OF_AN_ACCOUNT):
        assert opened(f"{link[:-4]}{number:04}")[1].status_code == 404

    stopped = opened(link)[1]

    assert stopped.status_code == 429
    assert re.search(r"Too many attempts\. Try again in \d+ seconds?\.", stopped.text)
    assert can_sign_in("olga")


def test_who_opens_a_link_while_signed_in_is_told_whose_it_is(olga):
    client, page = opened(added(olga), olga.client)

    assert "You are signed in as olga. Afterwards you are nina" in page.text
    chosen(client, page)
    assert "user:nina" not in client.get("/admin/").text
    assert client.get(f"/admin/{PEOPLE}/").status_code == 403


# --- roles and switches ------------------------------------------------------------------------------------------------


def test_a_role_is_asked_first_given_and_counts_at_once(olga, vera):
    sent = {"action": "make_arbiter", "_selected_action": [vera.user.pk], "back": f"/admin/{page_of(vera)}"}

    assert "Arbiters answer questions" in olga.post(f"{PEOPLE}/", sent).text
    assert role_of(now(vera)) == Role.OBSERVER
    answer = olga.post(f"{PEOPLE}/", {**sent, "confirmed": "yes"}, follow=True)

    assert "Now arbiter: vera." in answer.text
    assert answer.request["PATH_INFO"] == f"/admin/{page_of(vera)}"
    assert role_of(now(vera)) == Role.ARBITER
    assert buttons(olga.get(page_of(vera))) == [
        "New link to set a password", "Make viewer", "Make operator", "Sign out everywhere", "Switch off",
    ]  # fmt: skip


def test_a_role_takes_the_place_of_all_that_gave_another(olga, vera):
    others = Group.objects.create(name="night shift"), Group.objects.create(name="admins")
    others[1].permissions.add(Permission.objects.get(codename="operate"))
    vera.user.groups.add(*others)
    vera.user.user_permissions.add(Permission.objects.get(codename="arbitrate"))

    olga.act(PEOPLE, "make_viewer", vera.user.pk)

    assert role_of(now(vera)) == Role.OBSERVER
    assert sorted(now(vera).groups.values_list("name", flat=True)) == ["night shift", "viewer"]


def test_a_role_switches_nobody_on(olga, vera):
    accounts.switch_off(person_id=vera.user.pk, by=olga.user.pk)

    olga.act(PEOPLE, "make_arbiter", vera.user.pk)

    assert not now(vera).is_active


def test_who_is_switched_off_is_out_at_once_and_back_only_by_signing_in(olga, vera):
    key = vera.client.session.session_key
    assert live_sessions([key]) == {key}

    answer = olga.act(PEOPLE, "switch_off", vera.user.pk)

    assert "Switched off: vera." in answer.text
    assert live_sessions([key]) == set()
    assert vera.get("").status_code == 302
    assert not can_sign_in("vera")
    assert buttons(olga.get(page_of(vera))) == ["Make arbiter", "Make operator", "Switch on"]
    assert olga.post(f"{PEOPLE}/{vera.user.pk}/link/").status_code == 302

    assert "Switched on: vera." in olga.act(PEOPLE, "switch_on", vera.user.pk).text
    assert vera.get("").status_code == 302
    assert can_sign_in("vera")


def test_signing_somebody_out_ends_his_sessions_and_no_others(olga, vera):
    can_sign_in("vera")

    assert "Signed out: vera." in olga.act(PEOPLE, "sign_out", vera.user.pk).text

    assert vera.get("").status_code == 302
    assert is_in(olga.client)
    assert Session.objects.count() == 1
    assert "nowhere" in olga.get(page_of(vera)).text


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("make_viewer", "for another operator to change"),
        ("make_operator", "for another"),
        ("switch_off", "You cannot switch yourself off"),
    ],
)
def test_nobody_takes_his_own_role_away(olga, person, verb, said):
    with_password(person("operator", "otto"))
    before = rows()

    answer = olga.act(PEOPLE, verb, olga.user.pk)

    assert said in answer.text
    assert rows() == before
    assert buttons(olga.get(page_of(olga))) == ["Sign out everywhere"]


def test_whoever_has_a_password_changes_it_with_the_old_one(olga):
    before = rows()

    assert "in the menu under your name" in olga.client.post(f"/admin/{PEOPLE}/{olga.user.pk}/link/", follow=True).text
    assert rows() == before


@pytest.mark.parametrize("verb", ["make_viewer", "make_arbiter", "switch_off"])
def test_the_last_operator_who_can_sign_in_stays(olga, person, settings, verb):
    """Who acts has no password: in dev mode he came by the server's link, which is no more."""
    settings.DEV_MODE = False
    guest, before = person("operator", "guest"), rows()

    answer = guest.act(PEOPLE, verb, olga.user.pk)

    assert "This is the last operator who can sign in." in answer.text
    assert rows() == before
    assert is_in(olga.client)


def test_in_dev_mode_the_server_lets_an_operator_in(olga, person):
    person("operator", "guest").act(PEOPLE, "switch_off", olga.user.pk)

    assert not now(olga).is_active


@pytest.mark.parametrize("verb", ["make_viewer", "make_operator", "switch_off", "switch_on", "sign_out"])
def test_only_a_superuser_changes_a_superuser(olga, person, verb):
    boss, before = root(person), rows()

    assert "Only a superuser can change a superuser." in olga.act(PEOPLE, verb, boss.user.pk).text
    page = olga.client.post(f"/admin/{PEOPLE}/{boss.user.pk}/link/", follow=True)
    assert "Only a superuser can change a superuser." in page.text
    assert rows() == before
    assert is_in(boss.client)
    assert buttons(olga.get(page_of(boss))) == []


def test_a_superuser_makes_an_ordinary_operator_of_another(person):
    boss, other = root(person), with_password(person("operator", "otto"))
    User.objects.filter(pk=other.user.pk).update(is_superuser=True)
    assert "Superuser" in boss.get(page_of(other)).text

    boss.act(PEOPLE, "make_operator", other.user.pk)

    assert (now(other).is_superuser, role_of(now(other))) == (False, Role.OPERATOR)


def test_who_has_lost_the_role_meanwhile_changes_nothing(olga, vera, person):
    with_password(person("operator", "otto"))
    User.objects.get(pk=olga.user.pk).groups.set([Group.objects.get(name="viewer")])

    with pytest.raises(Forbidden, match="You are no operator any more"):
        accounts.give_role(person_id=vera.user.pk, role="operator", by=olga.user.pk)


_AT_ONCE = """
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError
from django.contrib.auth.models import User
from django.db import connection
from access import accounts
from access.people import role_of, set_role
from config.errors import ProtocolError

people = [User.objects.create_user(name, password="correct horse battery") for name in ("olga", "otto")]
for each in people:
    set_role(each, "operator")
begun, judged, judge = Barrier(2), Barrier(2), accounts._keep_an_operator

def slowly(person):
    judge(person)
    try:
        judged.wait(timeout=1)  # For the other, who must not come as far before this one is through.
    except BrokenBarrierError:
        pass

accounts._keep_an_operator = slowly

def act(number):
    act, more = [(accounts.switch_off, {}), (accounts.give_role, {"role": "viewer"})][number]
    begun.wait(timeout=20)
    try:
        act(person_id=people[1 - number].pk, by=people[number].pk, **more)
        return "done"
    except ProtocolError as refusal:
        return refusal.detail
    finally:
        connection.close()

answers = [*ThreadPoolExecutor(2).map(act, range(2))]
left = [each.username for each in User.objects.all() if role_of(each) == "operator"]
print(json.dumps([sorted(answers), len(left)]))
"""


def test_of_two_operators_who_remove_each_other_at_once_one_stays(vendor, tmp_path):
    environment = {**os.environ, "DATABASE_URL": migrated_database(vendor, tmp_path)}

    done = run("config.manage", ["shell", "--no-imports", "-c", _AT_ONCE], environment)

    assert done.stderr.count("Traceback") == 0, done.stderr
    assert json.loads(done.stdout) == [["You are no operator any more.", "done"], 1]


# --- one's own password, and the server's log ----------------------------------------------------------------------------


def test_somebody_changes_his_own_password_and_stays_in(vera):
    assert "/admin/password_change/" in vera.get("").text
    fields = {"new_password1": "another good password", "new_password2": "another good password"}

    assert "oi-bad" in vera.post("password_change/", {**fields, "old_password": "wrong"}).text
    assert vera.post("password_change/", {**fields, "old_password": PASSWORD}, follow=True).status_code == 200

    assert is_in(vera.client)
    assert can_sign_in("vera", "another good password")


def test_the_server_s_log_says_who_did_what_to_whom(olga, vera, caplog, django_capture_on_commit_callbacks):
    with caplog.at_level(logging.INFO, "openintent.access"), django_capture_on_commit_callbacks(execute=True):
        link = added(olga)
        chosen(*opened(link))
        olga.act(PEOPLE, "make_arbiter", vera.user.pk)
        olga.act(PEOPLE, "switch_off", vera.user.pk)
        olga.act(PEOPLE, "switch_off", olga.user.pk)
        olga.post("access/apikey/add/", {"name": "ci", "role": "agent"})

    told = [(record.getMessage(), record.fields) for record in caplog.records if record.name == "openintent.access"]
    of_olga = {"actor": "user:olga"}
    assert told[:4] == [
        ("person_added", {**of_olga, "subject": "user:nina", "role": "viewer"}),
        ("password_set", {"actor": "user:nina", "subject": "user:nina"}),
        ("role_given", {**of_olga, "subject": "user:vera", "role": "arbiter"}),
        ("person_switched_off", {**of_olga, "subject": "user:vera"}),
    ]
    [(done, fields)] = told[4:]
    assert (done, fields["actor"], fields["role"]) == ("key_created", "user:olga", "agent")
    assert fields["subject"].startswith("ci (oi_")
