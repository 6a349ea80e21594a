"""Failures in the console: shown, and not changed."""

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def console(db):
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


def test_what_there_is_is_listed(console, make_intent, fail):
    fail(make_intent(), error_type="rate_limit")

    assert "rate_limit" in console.get("/admin/retries/failure/").text


def test_nothing_can_be_added_there(console):
    assert console.get("/admin/retries/failure/add/").status_code == 403
