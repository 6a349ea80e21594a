"""Policies and failures in the console: shown, and not changed."""

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def console(db):
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


@pytest.mark.parametrize(("page", "shows"), [("retrypolicy", "exponential"), ("failure", "rate_limit")])
def test_what_there_is_is_listed(console, make_intent, set_policy, fail, page, shows):
    intent = make_intent()
    set_policy(intent)
    fail(intent, error_type="rate_limit")

    response = console.get(f"/admin/retries/{page}/")

    assert response.status_code == 200
    assert shows in response.content.decode()


@pytest.mark.parametrize("page", ["retrypolicy", "failure"])
def test_nothing_can_be_added_there(console, page):
    assert console.get(f"/admin/retries/{page}/add/").status_code == 403
