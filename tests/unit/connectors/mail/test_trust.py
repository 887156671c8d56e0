"""Whose mail counts."""

import dkim
import pytest

from connectors.mail.profile import Hour
from connectors.mail.reading import read
from connectors.mail.trust import Lately, Policy, doubt, surplus


def policy(**more: object) -> Policy:
    said = {"senders": ("far.example",), "authentication": "results", "authserv_id": "mx.near.example", "hour": Hour()}
    return Policy(**(said | more))  # type: ignore[arg-type]  # a test's own


def doubted(results: list[str], sender: str = "alice@far.example", **more: object) -> str:
    lines = [f"Authentication-Results: {each}" for each in results]
    raw = "\r\n".join([*lines, f"From: {sender}", "", "x"]).encode()
    return doubt(read(raw), raw, policy(**more))


@pytest.mark.parametrize(
    "result",
    [
        "mx.near.example; dmarc=pass header.from=far.example",
        "mx.near.example 1; spf=fail smtp.mailfrom=a@else.example; dkim=pass (2048 bit) header.d=far.example",
        "mx.near.example; dkim=pass header.i=@far.example",
        "mx.near.example; spf=pass smtp.mailfrom=bounces@far.example",
        "mx.near.example; spf=pass smtp.mailfrom=far.example",
    ],
)
def test_what_our_own_server_found_is_believed(result: str) -> None:
    assert doubted([result]) == ""


@pytest.mark.parametrize(
    "results",
    [
        [],
        ["mx.far.example; dmarc=pass header.from=far.example"],
        ["mx.near.example.evil.example; dmarc=pass header.from=far.example"],
        ["mx.near.example; dkim=pass header.d=evil.example"],
        ["mx.near.example; dkim=pass header.d=example"],
        ["mx.near.example; dkim=fail header.d=far.example"],
        ["mx.near.example; spf=pass smtp.mailfrom=far.example@evil.example"],
        ["mx.near.example; none"],
        ["mx.near.example; x=dmarc dmarc=fail header.from=far.example"],
        ["mx.near.example; spf=none (dmarc=pass header.from=far.example)"],
        ["mx.near.example; dmarc=fail header.from=far.example", "mx.near.example; dmarc=pass header.from=far.example"],
    ],
)
def test_what_others_found_or_what_came_with_the_mail_is_not(results: list[str]) -> None:
    assert doubted(results)


@pytest.mark.parametrize(
    ("senders", "sender", "counts"),
    [
        (("far.example",), "a@far.example", True),
        (("far.example",), "a@desk.far.example", True),
        (("far.example",), "a@notfar.example", False),
        (("far.example",), "a@far.example.evil.example", False),
        (("alice@far.example",), "Alice@FAR.example", True),
        (("alice@far.example",), "bob@far.example", False),
        ((), "alice@far.example", False),
    ],
)
def test_only_those_on_the_list_count(senders: tuple[str, ...], sender: str, counts: bool) -> None:
    assert (doubted([], sender, senders=senders, authentication="none") == "") is counts


# made for these tests, and used nowhere else
KEY = """
MIICXQIBAAKBgQCfblAjm1zJoEpYgjYXyy/nt7paDUaxlLQyDf6fZEN5bIAAdTxr
v/679BIX4Jg0UYaXdg3JSejZb3+Yozr2bXazsohwZKV2cf+0EolUPGEYJhuwwd3c
p36NGLB8fanGBAGoS4nmjBk6lo/J9FwG8C+M3V7H10fl5Ieb3ckgw9sL7wIDAQAB
AoGBAIS9TuHmh8GjwGKivzDeTltqADDb3uEZg1ItjrLcwsUFDinTcmPv7cJFew8A
QxlES4AtnVrbO5BVofHO7deg2fOA24E3SJAPaNVWnJ5YWbnNKPxUle7+TMzzrEbo
Vwj5m8jqgCgoAcr53l6y6xEc27DOFd1+NSdW1Md/yJTuBX8JAkEA0rIXVJuGe68b
II/I3HnhL6QuWTinyT3j5gTNJ3fh0NYhWu72gdladYki81gFx8IZIf+cwHsT54Sg
Ew2DbvVBMwJBAMG2UB3dvFXZ+F8Pgs2ZLrOIMzOdRmBWx+hCjTiGcC1PsBpjhEuk
Wh0RvaKY5NqBO9FfWTxeJ9wVyA3viwpuAlUCQQClXLkK4nWOJUR5LeBLiiy+o3Ds
/ZZST4zKPwJ085X7vdO39szp5Jkmnlcb/f2rZh8rm95/AxoAHwszaOu67ioZAkBz
Oked/HAzgV1E7q0YL66gDLyoTz21wOlZN31Zyl6gFW7jw57GgBU6hXsQZXJ8p7M1
cEpcpoV/XVWLNJq4sYehAkBXx77w7sQBr3Zalx7t4WEgLyuLahmDgdPvP4oNqSvG
1MPl9q3vO2zK4zU26Ksa+YT2e4fq5lhKB7EPT/SO6dC/
"""
PEM = f"-----BEGIN RSA PRIVATE KEY-----{KEY}-----END RSA PRIVATE KEY-----".encode()
PUBLIC = (
    b"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCfblAjm1zJoEpYgjYXyy/nt7paDUaxlLQyDf6fZEN5bIAAdTxrv/679BIX4Jg0"
    b"UYaXdg3JSejZb3+Yozr2bXazsohwZKV2cf+0EolUPGEYJhuwwd3cp36NGLB8fanGBAGoS4nmjBk6lo/J9FwG8C+M3V7H10fl5Ieb3ckgw9sL7wIDAQAB"
)


def dns(name: bytes, **_: object) -> bytes | None:
    """Knows one selector of two domains."""
    known = (b"s1._domainkey.far.example.", b"s1._domainkey.evil.example.")
    return b"v=DKIM1; p=" + PUBLIC if name in known else None


MAIL = b"From: alice@far.example\r\nSubject: x\r\nMessage-ID: <1@far.example>\r\n\r\nhello\r\n"


def signed(domain: bytes, selector: bytes = b"s1") -> bytes:
    return dkim.sign(MAIL, selector, domain, PEM) + MAIL


def doubted_by_dkim(raw: bytes) -> str:
    return doubt(read(raw), raw, policy(authentication="dkim", dns=dns))


def test_a_signature_of_the_senders_domain_is_believed_and_no_other() -> None:
    assert doubted_by_dkim(signed(b"far.example")) == ""
    assert "no DKIM signature" in doubted_by_dkim(MAIL)
    assert "no DKIM signature" in doubted_by_dkim(signed(b"evil.example"))
    assert "holds" in doubted_by_dkim(signed(b"far.example").replace(b"hello", b"hallo"))
    assert "holds" in doubted_by_dkim(signed(b"far.example", b"unknown"))
    assert "holds" in doubted_by_dkim(b"DKIM-Signature: d=far.example; rubbish\r\n" + signed(b"evil.example"))


def test_case_24_what_is_too_much_is_told_apart() -> None:
    hour = Hour(sender=3, thread=2)
    assert surplus(Lately(2, 1, same_text=False), hour) == ""
    assert "for this ticket" in surplus(Lately(2, 2, same_text=False), hour)
    assert "from this sender" in surplus(Lately(3, 1, same_text=False), hour)
    assert "the very same" in surplus(Lately(0, 0, same_text=True), hour)
