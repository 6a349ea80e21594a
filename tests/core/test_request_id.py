"""The id that ties an answer to its lines in the log."""

import pytest


def test_a_request_gets_an_id(client):
    first, second = (client.get("/healthz").headers["X-Request-ID"] for _ in range(2))

    assert len(first) == 16
    assert first != second


@pytest.mark.parametrize("given", ["7", "f3a2-7c41", "Root=1-67891233-abcdef012345678912345678", "a" * 128])
def test_a_harmless_id_is_taken_over(client, given):
    response = client.get("/nowhere", headers={"X-Request-ID": given})

    assert response.headers["X-Request-ID"] == response.json()["request_id"] == given


@pytest.mark.parametrize("given", ["", " ", "a b", "a\tb", '"}{', "a" * 129, "zoë", "<script>", "a;b"])
def test_any_other_id_is_replaced(client, given):
    response = client.get("/nowhere", headers={"X-Request-ID": given})

    assert response.headers["X-Request-ID"] == response.json()["request_id"] != given
