"""Users in the console: roles, deactivation, and what protects the last operator."""

import json
import logging
import os
import re

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.test import Client

from access import user_services
from access.models import Role
from access.roles import filter_live_sessions, role_of
from console.sign_in import passwords
from core.errors import Forbidden
from tests.console.users import (
    PEOPLE,
    add_user,
    buttons,
    can_sign_in,
    choose_password,
    is_signed_in,
    open_link,
    page_of,
    reload_user,
    rows,
    set_password,
    superuser,
)
from tests.databases import migrated_database
from tests.processes import run

# --- the list and the page ---------------------------------------------------------------------------------------------


def test_the_list_says_who_is_what_and_when_he_was_there(person, olga, vera):
    person(None, "nora")
    user_services.create_user(name="paul", role="arbiter", by=olga.user.pk)
    user_services.deactivate_user(person_id=vera.user.pk, by=olga.user.pk)

    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", olga.get(f"{PEOPLE}/").text))

    assert re.search(r"olga you signed in \d+s ago Operator", page)
    assert re.search(r"paul never signed in · no password yet Arbiter", page)
    assert re.search(r"nora signed in \d+s ago · no password yet No role no access", page)
    assert re.search(r"vera signed in \d+s ago Deactivated was viewer", page)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, {"olga", "root", "vera", "nora", "otto"}), ({"role": "operator"}, {"olga", "root"}), ({"role": "viewer"}, {"vera"}),
        ({"role": "arbiter"}, set()), ({"role": "none"}, {"nora"}), ({"role": "off"}, {"otto"}), ({"q": "ER"}, {"vera"}),
    ],
)  # fmt: skip
def test_tabs_and_search_narrow_the_list(person, olga, vera, query, found):
    superuser(person), person(None, "nora")
    User.objects.filter(pk=person("arbiter", "otto").user.pk).update(is_active=False)

    page = olga.get(f"{PEOPLE}/", query)

    assert {each.username for each in page.context_data["people"]} == found


def test_a_page_says_what_somebody_may_and_did(api, make_intent, olga, person):
    judy = person("arbiter", "judy")
    intent = make_intent(title="Book <b>flights</b>")
    asked = api.post(f"/intents/{intent['id']}/arbitrate", {"reason": "May I?"}).json()
    judy.post(f"governance/arbitration/{asked['id']}/decide/", {"decision": "Yes"})

    page = olga.get(page_of(judy)).text

    assert "Arbiter: can also decide and revoke leases" in page
    assert "<dt>Active sessions</dt><dd>1<" in page
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


def test_changes_of_a_person_need_the_csrf_token(person, vera):
    olga = set_password(person("operator", "olga", enforce_csrf_checks=True))
    before = rows()

    choose_password = {"action": "switch_off", "_selected_action": [vera.user.pk], "confirmed": "yes"}
    for path, fields in (
        (f"{PEOPLE}/", choose_password), (f"{PEOPLE}/add/", {"name": "x", "role": "viewer"}), (f"{PEOPLE}/{vera.user.pk}/link/", {}),
    ):  # fmt: skip
        assert olga.post(path, fields).status_code == 403
    client = Client(enforce_csrf_checks=True)
    assert client.post(passwords.password_link(vera.user).partition("?")[0], {"new_password1": "x"}).status_code == 403

    assert rows() == before


def test_groups_and_deletion_are_nowhere(person, olga, vera):
    assert olga.get("auth/group/").status_code == 404
    boss = superuser(person)
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


# --- roles and switches ------------------------------------------------------------------------------------------------


def test_a_role_is_asked_first_given_and_counts_at_once(olga, vera):
    sent = {"action": "make_arbiter", "_selected_action": [vera.user.pk], "back": f"/admin/{page_of(vera)}"}

    assert "Arbiters can decide questions" in olga.post(f"{PEOPLE}/", sent).text
    assert role_of(reload_user(vera)) == Role.OBSERVER
    answer = olga.post(f"{PEOPLE}/", {**sent, "confirmed": "yes"}, follow=True)

    assert "Role set to arbiter: vera." in answer.text
    assert answer.request["PATH_INFO"] == f"/admin/{page_of(vera)}"
    assert role_of(reload_user(vera)) == Role.ARBITER
    assert buttons(olga.get(page_of(vera))) == [
        "Create password link", "Set role to viewer", "Set role to operator", "Sign out everywhere", "Deactivate",
    ]  # fmt: skip


def test_a_role_takes_the_place_of_all_that_gave_another(olga, vera):
    others = Group.objects.create(name="night shift"), Group.objects.create(name="admins")
    others[1].permissions.add(Permission.objects.get(codename="operate"))
    vera.user.groups.add(*others)
    vera.user.user_permissions.add(Permission.objects.get(codename="arbitrate"))

    olga.act(PEOPLE, "make_viewer", vera.user.pk)

    assert role_of(reload_user(vera)) == Role.OBSERVER
    assert sorted(reload_user(vera).groups.values_list("name", flat=True)) == ["night shift", "viewer"]


def test_a_role_switches_nobody_on(olga, vera):
    user_services.deactivate_user(person_id=vera.user.pk, by=olga.user.pk)

    olga.act(PEOPLE, "make_arbiter", vera.user.pk)

    assert not reload_user(vera).is_active


def test_deactivation_ends_sessions_and_reactivation_needs_a_new_sign_in(olga, vera):
    key = vera.client.session.session_key
    assert filter_live_sessions([key]) == {key}

    answer = olga.act(PEOPLE, "switch_off", vera.user.pk)

    assert "Deactivated: vera." in answer.text
    assert filter_live_sessions([key]) == set()
    assert vera.get("").status_code == 302
    assert not can_sign_in("vera")
    assert buttons(olga.get(page_of(vera))) == ["Set role to arbiter", "Set role to operator", "Reactivate"]
    assert olga.post(f"{PEOPLE}/{vera.user.pk}/link/").status_code == 302

    assert "Reactivated: vera." in olga.act(PEOPLE, "switch_on", vera.user.pk).text
    assert vera.get("").status_code == 302
    assert can_sign_in("vera")


def test_signing_somebody_out_ends_his_sessions_and_no_others(olga, vera):
    can_sign_in("vera")

    assert "Signed out: vera." in olga.act(PEOPLE, "sign_out", vera.user.pk).text

    assert vera.get("").status_code == 302
    assert is_signed_in(olga.client)
    assert Session.objects.count() == 1
    assert "<dd>none</dd>" in olga.get(page_of(vera)).text


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("make_viewer", "t change your own role"),
        ("make_operator", "t change your own role"),
        ("switch_off", "t deactivate yourself"),
    ],
)
def test_people_cannot_change_their_own_role(olga, person, verb, said):
    set_password(person("operator", "otto"))
    before = rows()

    answer = olga.act(PEOPLE, verb, olga.user.pk)

    assert said in answer.text
    assert rows() == before
    assert buttons(olga.get(page_of(olga))) == ["Sign out everywhere"]


def test_own_password_is_changed_with_the_current_one(olga):
    before = rows()

    assert "from the menu under your name" in olga.client.post(f"/admin/{PEOPLE}/{olga.user.pk}/link/", follow=True).text
    assert rows() == before


@pytest.mark.parametrize("verb", ["make_viewer", "make_arbiter", "switch_off"])
def test_the_last_operator_who_can_sign_in_stays(olga, person, settings, verb):
    """The acting person has no password: in development mode they came by the server's link, which no longer works."""
    settings.DEV_MODE = False
    guest, before = person("operator", "guest"), rows()

    answer = guest.act(PEOPLE, verb, olga.user.pk)

    assert "This is the last operator who can sign in." in answer.text
    assert rows() == before
    assert is_signed_in(olga.client)


def test_in_dev_mode_the_server_lets_an_operator_in(olga, person):
    person("operator", "guest").act(PEOPLE, "switch_off", olga.user.pk)

    assert not reload_user(olga).is_active


@pytest.mark.parametrize("verb", ["make_viewer", "make_operator", "switch_off", "switch_on", "sign_out"])
def test_only_a_superuser_changes_a_superuser(olga, person, verb):
    boss, before = superuser(person), rows()

    assert "Only a superuser can change a superuser." in olga.act(PEOPLE, verb, boss.user.pk).text
    page = olga.client.post(f"/admin/{PEOPLE}/{boss.user.pk}/link/", follow=True)
    assert "Only a superuser can change a superuser." in page.text
    assert rows() == before
    assert is_signed_in(boss.client)
    assert buttons(olga.get(page_of(boss))) == []


def test_a_superuser_makes_an_ordinary_operator_of_another(person):
    boss, other = superuser(person), set_password(person("operator", "otto"))
    User.objects.filter(pk=other.user.pk).update(is_superuser=True)
    assert "Superuser" in boss.get(page_of(other)).text

    boss.act(PEOPLE, "make_operator", other.user.pk)

    assert (reload_user(other).is_superuser, role_of(reload_user(other))) == (False, Role.OPERATOR)


def test_operator_demoted_meanwhile_changes_nothing(olga, vera, person):
    set_password(person("operator", "otto"))
    User.objects.get(pk=olga.user.pk).groups.set([Group.objects.get(name="viewer")])

    with pytest.raises(Forbidden, match="You are no longer an operator"):
        user_services.set_role(person_id=vera.user.pk, role="operator", by=olga.user.pk)


_AT_ONCE = """
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, BrokenBarrierError
from django.contrib.auth.models import User
from django.db import connection
from access import user_services
from access.roles import role_of, grant_role
from core.errors import ProtocolError

people = [User.objects.create_user(name, password="correct horse battery") for name in ("olga", "otto")]
for each in people:
    grant_role(each, "operator")
begun, judged, judge = Barrier(2), Barrier(2), user_services._require_another_operator

def slowly(person):
    judge(person)
    try:
        judged.wait(timeout=1)  # For the other, who must not come as far before this one is through.
    except BrokenBarrierError:
        pass

user_services._require_another_operator = slowly

def act(number):
    act, more = [(user_services.deactivate_user, {}), (user_services.set_role, {"role": "viewer"})][number]
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
    assert json.loads(done.stdout) == [["You are no longer an operator.", "done"], 1]


# --- the server's log -------------------------------------------------------------------------------------------------


def test_the_server_s_log_says_who_did_what_to_whom(olga, vera, caplog, django_capture_on_commit_callbacks):
    with caplog.at_level(logging.INFO, "openintent.access"), django_capture_on_commit_callbacks(execute=True):
        link = add_user(olga)
        choose_password(*open_link(link))
        olga.act(PEOPLE, "make_arbiter", vera.user.pk)
        olga.act(PEOPLE, "switch_off", vera.user.pk)
        olga.act(PEOPLE, "switch_off", olga.user.pk)
        olga.post("access/apikey/add/", {"name": "ci", "role": "agent"})

    told = [(record.getMessage(), record.fields) for record in caplog.records if record.name == "openintent.access"]
    told = [each for each in told if each[0] != "signed_in"]
    of_olga = {"actor": "user:olga"}
    assert told[:4] == [
        ("person_added", {**of_olga, "subject": "user:nina", "role": "viewer"}),
        ("password_set", {"actor": "user:nina", "subject": "user:nina", "address": "127.0.0.1"}),
        ("role_given", {**of_olga, "subject": "user:vera", "role": "arbiter"}),
        ("person_switched_off", {**of_olga, "subject": "user:vera"}),
    ]
    [(done, fields)] = told[4:]
    assert (done, fields["actor"], fields["role"]) == ("key_created", "user:olga", "agent")
    assert fields["subject"].startswith("ci (oi_")
