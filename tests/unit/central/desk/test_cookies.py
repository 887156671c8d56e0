"""The cookie of a session is as guarded as where it is set allows, and forms of other sites are not believed."""

from datetime import UTC, datetime, timedelta

import pytest

from central.desk.cookies import Cookies

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_over_https_no_other_host_and_nothing_in_the_clear_can_set_the_cookie() -> None:
    cookies = Cookies("https://desk.example.org")
    assert cookies.set("abc", NOW, NOW + timedelta(hours=1)) == (
        "__Host-interdesk=abc; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax; Secure"
    )
    assert cookies.clear() == "__Host-interdesk=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"


def test_on_a_laptop_the_cookie_works_without_https() -> None:
    assert Cookies().set("abc", NOW, NOW) == "interdesk=abc; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"


@pytest.mark.parametrize(
    ("headers", "believed"),
    [
        ({"sec-fetch-site": "same-origin", "origin": "null"}, True),
        ({"sec-fetch-site": "none"}, True),  # typed or from a bookmark
        ({"sec-fetch-site": "cross-site", "origin": "https://desk.example.org"}, False),
        ({"sec-fetch-site": "same-site"}, False),  # a neighbouring subdomain
        ({"origin": "https://desk.example.org"}, True),
        ({"origin": "http://inside:8350", "host": "inside:8350"}, True),
        ({"origin": "https://evil.example", "host": "desk.example.org"}, False),
        ({"origin": "null", "host": ""}, False),
        ({"origin": "https://desk.example.org.evil.example", "host": "desk.example.org"}, False),
        ({"host": "desk.example.org"}, True),  # no browser: it has no cookie but by its own will
    ],
)
def test_a_form_is_believed_when_a_page_of_ours_sent_it(headers: dict[str, str], believed: bool) -> None:
    assert Cookies("https://desk.example.org").sent_from_here(headers) is believed
