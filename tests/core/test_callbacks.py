"""Callbacks are allowed to the hosts that the operator has named, and to no others."""

import pytest

from core.callbacks import is_allowed


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("http://a.example/x?y=1", ("a.example",)),
        ("HTTPS://A.Example:8443/x", ("a.example",)),
        ("https://a.example/x", ("b.example", "A.EXAMPLE")),
        ("https://a.example:8443/x", ("a.example:8443",)),
        ("https://a.example/x", ("a.example:443",)),
        ("http://[::1]:8080/", ("[::1]:8080",)),
    ],
)
def test_named_hosts_are_allowed(url: str, hosts: tuple[str, ...]) -> None:
    assert is_allowed(url, hosts=hosts)


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("https://a.example:8444/x", ("a.example:8443",)),
        ("http://a.example/x", ("a.example:443",)),
        ("http://b.a.example/", ("a.example",)),
        ("http://a.example.evil.test/", ("a.example",)),
        ("http://a.example@evil.test/", ("a.example",)),
        ("http://user:secret@a.example/", ("a.example",)),
        ("ftp://a.example/", ("a.example",)),
        ("http://a.example:port/", ("a.example",)),
        ("http://a.example:99999/", ("a.example",)),
        ("http://[::1", ("a.example",)),
        ("http:///x", ("", "none")),
        ("", ("",)),
    ],
)
def test_others_are_not(url: str, hosts: tuple[str, ...]) -> None:
    assert not is_allowed(url, hosts=hosts)


@pytest.mark.parametrize("path", ["a\r\nHost: b", "a\nb", "a\tb", "a b", "a\0", "a\x7f", "ä", "a\u2028"])
def test_what_parsers_drop_or_disagree_on_is_refused(path: str) -> None:
    assert not is_allowed(f"http://a.example/{path}", hosts=("a.example",))
