"""REDIS_URL: what it may be, and what follows from it."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from core import env


def test_without_it_the_channel_layer_is_this_process_alone(monkeypatch):
    monkeypatch.delenv("REDIS_URL", raising=False)

    assert env.redis() == ""
    assert env.channel_layers("") == {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


@pytest.mark.parametrize("url", ["redis://localhost", "redis://:secret@cache:6380/1", "rediss://user:secret@cache.example:6379"])
def test_with_it_redis_rings(monkeypatch, url):
    monkeypatch.setenv("REDIS_URL", url)

    layer = env.channel_layers(env.redis())["default"]

    assert layer["BACKEND"] == "channels_redis.pubsub.RedisPubSubChannelLayer"
    assert layer["CONFIG"]["hosts"][0]["address"] == url


@pytest.mark.parametrize("url", ["cache:6379", "http://cache", "redis://", "redis://:geheim@cache:port", "redis://cache:0"])
def test_invalid_redis_url_is_refused_and_not_shown(monkeypatch, url):
    monkeypatch.setenv("REDIS_URL", url)

    with pytest.raises(ImproperlyConfigured, match=r"REDIS_URL is invalid\. Accepted: redis://") as refusal:
        env.redis()

    assert "geheim" not in str(refusal.value)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://cache")
    monkeypatch.setattr(env, "find_spec", lambda name: None)

    with pytest.raises(ImproperlyConfigured, match=r"pip install 'channels-redis"):
        env.redis()
