"""Failures in the console: shown, and not changed."""

import pytest
from django.contrib.auth.models import User
from django.test import Client


@pytest.fixture
def console(db):
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


def test_failures_are_listed_in_the_console(console, make_intent, fail):
    fail(make_intent(), error_type="rate_limit")

    assert "rate_limit" in console.get("/admin/retries/failure/").text


def test_failures_cannot_be_added_in_the_console(console):
    assert console.get("/admin/retries/failure/add/").status_code == 403
