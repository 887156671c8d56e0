"""The fixture bench: examples are translated both ways, held against what they say, and forgotten."""

import re
from collections.abc import Iterator

import pytest

from mappings import library
from tests.desk.stand import Browser, Stand
from tests.unit.sync.world import World

SCRIPT = "<script>alert(1)</script>"
FIXTURE = """\
kind: fixture
name: comes-in
mapping: rt
about: Shown to Tess.
inward:
  theirs: {Subject: "<script>alert(1)</script>", Status: new}
  becomes: {subject: "<script>alert(1)</script>", status: new}
"""
WRONG = FIXTURE.replace("status: new}", "status: solved}").replace("comes-in", "is-wrong")


@pytest.fixture
def stand(tmp_path) -> Iterator[Stand]:
    with Stand(tmp_path) as stand:
        yield stand


@pytest.fixture
def tess(stand) -> Browser:
    return stand.browser("tess")


def replay(browser: Browser, text: str = "", **said):
    return browser.submit("/bench", {"text": text, **said}, form="/bench")


def another(stand: Stand) -> None:
    """A second revision of what ngi-cz uses, in which nothing of theirs is new."""
    source = library.shipped("rt").source
    changed = source.replace("name: rt\n", "name: rt\n# another\n", 1).replace("      new: new\n", "      new: fresh\n")
    stand.house.helm.apply(changed, "carl")


def test_the_bench_is_for_who_proves_mappings(stand) -> None:
    expected = {"alice": 403, "sue": 403, "olga": 200, "tess": 200, "carl": 200, "aude": 403}
    for login, status in expected.items():
        browser = stand.browser(login)
        assert browser.page("/bench").status_code == status
        assert ('href="/bench"' in browser.page("/account").text) == (status == 200)
        assert browser.submit("/bench", {"text": FIXTURE}, form="/account").status_code == status
    assert "/sign-in" in stand.browser().page("/bench").url


def test_what_is_green_is_said_to_be_and_shown_both_ways(tess) -> None:
    page = replay(tess, FIXTURE.replace("\n", "\r\n")).text
    assert "1 green" in page
    assert "Back again, it is what it was" in page
    assert "Inward: theirs becomes ours" in page
    assert SCRIPT not in page
    assert "&lt;script&gt;" in page


def test_what_differs_stands_with_its_place_and_both_values(tess) -> None:
    answer = replay(tess, f"{FIXTURE}---\n{WRONG}")
    assert answer.status_code == 200
    assert "1 of 2 differ" in answer.text
    row = answer.text[answer.text.index('class="apart"') :]
    row = row[: row.index("</tr>")]
    assert ("solved" in row, "new" in row, "pasted:15:" in row) == (True, True, True)


def test_a_text_of_several_lines_differs_line_by_line(tess) -> None:
    text = FIXTURE.replace('Subject: "<script>alert(1)</script>"', 'Description: "one\\ntwo\\nthree"').replace(
        'subject: "<script>alert(1)</script>"', 'description: "one\\nzwei\\nthree"'
    )
    page = replay(tess, text).text
    assert '<span class="taken">-zwei</span>' in page
    assert '<span class="added">+two</span>' in page


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("kind: fixture\nname: [", "pasted:3:1</code> this is not YAML"),
        (FIXTURE.replace("mapping: rt", "mapping: rtt"), "pasted:3:10</code> the mapping &#39;rtt&#39; is in none of"),
        (FIXTURE.replace("theirs:", "their:"), "pasted:6:3</code>"),
        ("kind: system\nname: x\n", "pasted:1:7</code> a &#39;system&#39; is no example"),
        ("kind: mapping\nname: x\nextends: rt\n", "there is no fixture here"),
        (f"{FIXTURE}---\n{FIXTURE}", "pasted:10:7</code> the fixture comes-in stands here twice"),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_the_text_stays(tess, text, sentence) -> None:
    answer = replay(tess, text)
    assert answer.status_code == 409
    assert sentence in answer.text
    assert text.splitlines()[1] in answer.text[answer.text.index("<textarea") :]


def test_files_are_read_by_their_names_and_what_is_no_text_is_said(tess) -> None:
    token = {"form_token": re.findall(r'name="form_token" value="(\w+)"', tess.page("/bench").text)[0]}
    files = [("files", ("a.yaml", FIXTURE.encode())), ("files", (f"b{SCRIPT}.yaml", b"\xff"))]
    answer = tess.post(f"{tess.address}/bench", data=token, files=files, timeout=120)
    assert (answer.status_code, "not UTF-8 text (byte 1)" in answer.text) == (409, True)
    assert SCRIPT not in answer.text
    answer = tess.post(f"{tess.address}/bench", data=token, files=files[:1], timeout=120)
    assert ("1 green" in answer.text, "a.yaml:2:7" in answer.text) == (True, True)
    empty = tess.post(f"{tess.address}/bench", data=token, files=[("files", ("", b""))], timeout=120)
    assert (empty.status_code, "Paste a fixture" in empty.text) == (400, True)


def test_no_more_is_read_than_a_text_may_be_long_and_no_more_examples_than_are_told(tess) -> None:
    many = "---\n".join(FIXTURE.replace("comes-in", f"n{number}") for number in range(301))
    answer = replay(tess, many)
    assert (answer.status_code, "more than 300 fixtures" in answer.text) == (409, True)
    token = {"form_token": re.findall(r'name="form_token" value="(\w+)"', tess.page("/bench").text)[0]}
    for size, sentence in ((1_000_001, "more than 1000000 characters"), (4_000_001, "longer than 4000000 bytes")):
        files = [("files", ("a.yaml", b"#" * size))]
        answer = tess.post(f"{tess.address}/bench", data=token, files=files, timeout=120)
        assert (answer.status_code, sentence in answer.text) == (409, True)


def test_two_revisions_are_compared(stand, tess) -> None:
    another(stand)
    page = replay(tess, FIXTURE, by="rt@1", against="rt@2").text
    assert "1 green" in page
    assert "by the other: differs" in page
    assert "by the other: differs" not in replay(tess, FIXTURE, by="rt@1", against="rt").text
    now = replay(tess, FIXTURE).text
    assert "1 of 1 differ" in now, "what each names is the registered one, as it is now"


def test_a_draft_of_a_mapping_beside_its_fixture_is_what_it_is_held_against(tess) -> None:
    draft = "kind: mapping\nname: mine\nextends: rt\nfields:\n  subject: null\n"
    page = replay(tess, f"{draft}---\n{FIXTURE.replace('mapping: rt', 'mapping: mine')}", against="rt").text
    assert "1 of 1 differ" in page
    assert "does not become" in page


def test_nobody_sees_a_mapping_that_only_another_ngi_uses(stand, tess) -> None:
    secret = library.shipped("redmine").source.replace("name: redmine", "name: theirs-alone")
    stand.house.helm.apply(secret, "carl")
    page = tess.page("/bench").text
    assert ("rt@1" in page, "theirs-alone" in page, "redmine@1" in page) == (True, False, False)
    assert "theirs-alone" in stand.browser("carl").page("/bench").text
    for by in ("theirs-alone@1", "redmine@1", "nothing@1", "nothing", "rt@9", "rt@x"):
        assert replay(tess, FIXTURE, by=by).status_code == 404
    named = replay(tess, FIXTURE.replace("mapping: rt", "mapping: theirs-alone"))
    assert (named.status_code, "nor in the library" in named.text) == (409, True)


def test_fixtures_that_come_along_are_taken_onto_the_bench_and_are_green(tess) -> None:
    text = tess.page("/bench?of=rt").text
    assert "name: a-ticket-comes-in" in text
    assert tess.page("/bench?of=nothing").status_code == 404
    source = "---\n".join(each.source.removeprefix("---\n") for each in library.fixtures("rt"))
    page = replay(tess, source).text
    assert re.search(r"All \d+ green", page)


def test_values_of_another_kind_than_the_mapping_expects_are_no_trouble_of_ours(tess) -> None:
    odd = "{Subject: [a, b], Status: true, Priority: word, Owner: 7, Description: null, Unknown: 1}"
    text = f"kind: fixture\nname: odd\nmapping: rt\ninward:\n  theirs: {odd}\n"
    assert replay(tess, text).status_code == 200
    ours = "{subject: [a, b], status: true, priority: 3, assigned_to: 7, description: null, nothing: 1}"
    text = f"kind: fixture\nname: odd\nmapping: rt\noutward:\n  ours: {ours}\n  held: {odd}\n"
    assert replay(tess, text).status_code == 200


def test_nothing_is_kept(stand, tess) -> None:
    before = stand.house.store.read(lambda tx: (tx.audit.list(), tx.registry.documents("mapping")))
    replay(tess, FIXTURE)
    assert stand.house.store.read(lambda tx: (tx.audit.list(), tx.registry.documents("mapping"))) == before


def test_a_live_ticket_is_captured_by_who_may_and_green_at_once(tmp_path) -> None:
    world = World()
    key = world.alice.open(subject="CE refuses jobs of Alice", status="open")
    with Stand(tmp_path, gateway=lambda _: world.mesh.gateways.get("ngi-cz")) as stand:
        tess = stand.browser("tess")
        page = tess.page("/bench").text
        assert ("<option>ngi-cz" in page, "ngi-de" in page) == (True, False)
        captured = tess.submit("/bench/capture", {"system": "ngi-cz", "key": key}, form="/bench").text
        assert "kind: fixture" in captured
        assert "Alice" not in captured
        gone = tess.submit("/bench/capture", {"system": "ngi-cz", "key": "815"}, form="/bench")
        assert (gone.status_code, "There is no ticket 815 in ngi-cz." in gone.text) == (404, True)
        for odd in ("", ".", "..", "../1", "1?x=1", "1 2"):
            assert tess.submit("/bench/capture", {"system": "ngi-cz", "key": odd}, form="/bench").status_code == 404
        rights = {"alice": 403, "sue": 403, "olga": 200, "carl": 200, "aude": 403}
        for login, status in rights.items():
            said = {"system": "ngi-cz", "key": key}
            assert stand.browser(login).submit("/bench/capture", said, form="/account").status_code == status
        foreign = tess.submit("/bench/capture", {"system": "ngi-de", "key": key}, form="/bench")
        nowhere = tess.submit("/bench/capture", {"system": "nothing", "key": key}, form="/bench")
        assert foreign.status_code == nowhere.status_code == 404
        assert foreign.text.replace("ngi-de", "nothing") == nowhere.text


def test_a_form_without_its_token_replays_nothing(tess) -> None:
    for path in ("/bench", "/bench/capture"):
        said = {"text": FIXTURE, "system": "ngi-cz", "key": "1"}
        assert tess.post(f"{tess.address}{path}", data=said, timeout=120).status_code == 403
