"""`secret …`: sealed, used, asked for again, forgotten."""

import io
import sys

import pytest


def types(monkeypatch, secret):
    monkeypatch.setattr(sys, "stdin", io.StringIO(secret))


@pytest.fixture
def sealed(desk):
    """A document of ngi-cz whose token is sealed."""
    return desk.cz.replace("env:INTERDESK_SECRET_NGI_CZ", "sealed:token")


def test_a_secret_is_sealed_from_the_standard_input_and_the_system_is_proven_with_it(desk, sealed, monkeypatch):
    file = desk.write(sealed)
    refused = desk.type("apply", file)
    assert refused.code == 2
    assert "system ngi-cz has no sealed:token; seal it: interdesk secret seal token --system ngi-cz" in refused.err

    types(monkeypatch, f"{desk.rt.token}\n")
    said = desk.type("secret", "seal", "token", "--system", "ngi-cz", "--for", desk.rt.url)
    assert said.code == 0, said.err
    assert "a key for sealed secrets was made in" in said.out
    assert "sealed:token is sealed for http://127.0.0.1" in said.out
    assert desk.type("apply", file).code == 0
    checked = desk.type("system", "check", "ngi-cz")
    assert checked.code == 0, checked.out + checked.err

    shown = desk.type("secret", "list", "--json").data
    assert [(each["system"], each["name"]) for each in shown] == [("ngi-cz", "token")]
    assert desk.rt.token.encode() not in desk.everything()
    assert desk.rt.token not in said.out + desk.type("export").out + desk.type("secret", "list").out


def test_a_system_that_moves_is_asked_for_its_secret_again(desk, sealed, monkeypatch):
    types(monkeypatch, desk.rt.token)
    assert desk.type("secret", "seal", "token", "--system", "ngi-cz", "--for", desk.rt.url).code == 0
    assert desk.type("apply", desk.write(sealed)).code == 0
    moved = desk.write(sealed.replace(desk.rt.url, desk.redmine.url), name="moved.yaml")
    for words in (("apply", moved), ("apply", moved, "--same-secret")):
        refused = desk.type(*words)
        assert refused.code == 2
        assert f"sealed:token was given for {desk.rt.url.removesuffix('/')}" in refused.err.replace("\n", " ")
    types(monkeypatch, "another")
    assert desk.type("secret", "seal", "token", "--system", "ngi-cz", "--for", desk.redmine.url).code == 0
    assert desk.type("apply", moved).code == 0
    types(monkeypatch, "a third, for where it is now")
    said = desk.type("secret", "seal", "token", "--system", "ngi-cz")
    assert f"is sealed for {desk.redmine.url}" in said.out


def test_mistakes_are_told_and_what_is_forgotten_is_missing(desk, sealed, monkeypatch):
    unknown = desk.type("secret", "seal", "token", "--system", "ngi-cz")
    assert unknown.code == 2
    assert "say with --for where its secret may be sent" in unknown.err
    types(monkeypatch, "")
    empty = desk.type("secret", "seal", "token", "--system", "ngi-cz", "--for", desk.rt.url)
    assert (empty.code, "a secret has 1 to" in empty.err) == (2, True)
    types(monkeypatch, desk.rt.token)
    assert desk.type("secret", "seal", "token", "--system", "ngi-cz", "--for", desk.rt.url).code == 0
    assert desk.type("apply", desk.write(sealed)).code == 0
    assert desk.type("secret", "forget", "token", "--system", "ngi-cz").code == 0
    assert desk.type("secret", "forget", "token", "--system", "ngi-cz").code == 2
    assert "has no sealed:token" in desk.type("system", "check", "ngi-cz").err
