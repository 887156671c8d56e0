"""Pseudonyms: other words, alike in everything but what they say."""

from hypothesis import given
from hypothesis import strategies as st

from mappings.fixtures.pseudonyms import Pseudonyms

KEY = Pseudonyms("a key")
TEXT = """\
h2. The CE *refuses* every job, @alice

<p class="x">See <a href="https://ce.example.org/log?id=77">the log</a>&nbsp;of cafe\u0301 and Übung</p>
  File "x.py", line 12
1. first {code:java}
[... 53 more characters in description-3f2a9c1e.txt]
"""


def test_structure_stays_and_words_do_not() -> None:
    said = KEY.text(TEXT)
    assert [line[:4] for line in said.splitlines()][:1] == ["h2. "]
    assert '<p class="' in said
    assert '<a href="https://' in said
    assert "</a>&nbsp;" in said
    assert "{code:" in said
    assert said.endswith("\n[... 53 more characters in description-3f2a9c1e.txt]\n")
    for word in ("refuses", "alice", "example", "77", "12", "Übung", "java"):
        assert word in TEXT
        assert word not in said


@given(st.text())
def test_every_text_is_as_long_as_wide_and_as_broken(text: str) -> None:
    said = KEY.text(text)
    assert len(said) == len(text)
    if said.encode(errors="surrogatepass").isascii() or text.isascii():
        assert len(said.encode(errors="surrogatepass")) == len(text.encode(errors="surrogatepass"))
    assert [c for c in said if c.isspace()] == [c for c in text if c.isspace()]


@given(st.text(alphabet="aZ9 éÉ水𠀀"))
def test_letters_take_as_many_bytes(text: str) -> None:
    assert len(KEY.text(text).encode()) == len(text.encode())


def test_a_word_has_one_pseudonym_wherever_it_stands_and_another_one_under_another_key() -> None:
    one, other = KEY.text("Alice says").split()[0], KEY.text("ask ALICE").split()[1]
    assert (one.casefold(), one[0].isupper(), other.isupper()) == (other.casefold(), True, True)
    assert Pseudonyms("another key").text("Alice says").split()[0] != one


def test_people_become_other_people_and_addresses_lead_nowhere() -> None:
    assert KEY.person("alice@cern.ch").endswith("@example.org")
    assert KEY.person("alice@cern.ch") == KEY.person("Alice@CERN.ch") != KEY.person("bob@cern.ch")
    assert "alice" not in KEY.person("alice")
    assert len(KEY.person("Alice Smith").split()) == 2
