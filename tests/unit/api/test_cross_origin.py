"""Which web pages may call: those of listed origins, and no others."""

import pytest

from chalicelib.api.cross_origin import allowed_headers, origins_from_env, preflight_headers

ORIGINS = frozenset({"https://a.example", "http://localhost:8080"})


def test_origins_are_listed_by_an_operator() -> None:
    """None by default; white space between them is fine."""
    assert origins_from_env({}) == frozenset()
    assert origins_from_env({"ROOMGATE_WEB_ORIGINS": ""}) == frozenset()
    text = "https://a.example, http://localhost:8080"
    assert origins_from_env({"ROOMGATE_WEB_ORIGINS": text}) == ORIGINS


@pytest.mark.parametrize(
    "text",
    ["*", "null", "https://a.example/", "http://a.example", "a.example", "https://A.example"],
)
def test_what_is_no_origin_is_refused_at_the_start(text: str) -> None:
    """A wildcard, a path or plain http would let in what nobody meant, or never match."""
    with pytest.raises(ValueError, match="ROOMGATE_WEB_ORIGINS"):
        origins_from_env({"ROOMGATE_WEB_ORIGINS": text})


def test_a_listed_origin_may_read() -> None:
    """The answer names that origin alone, and caches keep the origins apart."""
    headers = allowed_headers("https://a.example", ORIGINS)
    assert headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize("origin", [None, "", "null", "https://b.example", "https://a.example."])
def test_another_origin_may_not(origin: str | None) -> None:
    """Neither read an answer nor send a preflighted request."""
    assert allowed_headers(origin, ORIGINS) == {"Vary": "Origin"}
    assert preflight_headers("POST", origin, ORIGINS) == {"Vary": "Origin"}
    assert allowed_headers(origin, frozenset()) == {}


def test_a_preflight_says_what_a_page_may_send() -> None:
    """The method, the token, JSON, and for how long a browser need not ask again."""
    headers = preflight_headers("POST", "https://a.example", ORIGINS)
    assert headers["Access-Control-Allow-Methods"] == "POST"
    assert "Authorization" in headers["Access-Control-Allow-Headers"]
    assert headers["Access-Control-Max-Age"] == "7200"
