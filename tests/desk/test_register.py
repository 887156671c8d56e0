"""Registering a system over real HTTP, as an operator does it who has never seen interdesk: against an emulated RT."""

import hmac
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import yaml

from central.account import Account, Grant, Role
from central.desk.services.errors import NotNow
from connectors.emulators.rt import RtEmulator
from sync.inbox import Inbox
from tests.desk.house import AT, principal
from tests.desk.stand import CHEAP, Browser, Stand

NAME = "ngi-xx"
ADDRESS = f"/register/{NAME}"


@pytest.fixture
def rt() -> Iterator[RtEmulator]:
    with RtEmulator(lambda: datetime.now(UTC)) as emulator:
        emulator.tracker.person("Alice").open(Subject="The CE refuses jobs")
        yield emulator


@pytest.fixture
def stand(tmp_path) -> Iterator[Stand]:
    (tmp_path / "interdesk.yaml").write_text("kind: instance\nname: ggus\nallowed_networks: [127.0.0.0/8]\n")
    with Stand(tmp_path) as it:
        grants = frozenset({Grant(Role.OPERATOR, NAME), Grant(Role.SUPPORTER, "NGI_XX")})
        bob = Account("bob", "Bob", "bob@example.org", grants, AT, password=CHEAP.hash("bob's"))
        it.house.store.write(lambda tx: tx.accounts.create(bob))
        yield it


@pytest.fixture
def bob(stand) -> Browser:
    return stand.browser("bob")


def answers(rt, **more):
    return {
        "connector": "rt",
        "mapping": "rt",
        "set-url": rt.url,
        "set-queue": rt.queue,
        "set-external_id": "ExternalId",
        "secret-token": rt.token,
        "units": "NGI_XX",
        "contacts": "ops@example.org",
        **more,
    }


@pytest.fixture
def begun(bob, rt):
    """Bob, with the document of his system kept."""
    kept = bob.submit(f"{ADDRESS}/answers", answers(rt), form="/register")
    assert kept.status_code == 200, kept.text
    return bob


def entries(stand, act):
    return [each for each in stand.house.store.read(lambda tx: tx.audit.list()) if each.act == act]


def digest(page):
    return re.search(r'name="digest" value="(\w+)"', page.text)[1]


def state(stand):
    return stand.house.store.read(lambda tx: tx.registry.system(NAME)).state


def test_an_operator_chooses_among_products_and_names_only_what_was_granted(bob) -> None:
    page = bob.page("/register")
    assert re.findall(r"<option>(.*?)</option>", page.text) == [NAME]
    for words in ("<b>RT</b>", "over its REST interface", "tried against the real RT 5.0.3", "needs no interface"):
        assert words in page.text
    assert "as plain;" not in page.text
    on = bob.submit("/register", {"name": NAME, "connector": "rt"})
    assert on.url.endswith(f"{ADDRESS}?connector=rt")
    for words in ("the queue&#39;s name", 'type="password"', "shown to nobody again", 'value="ExternalId"'):
        assert words in on.text


def test_products_are_listed_by_their_plain_names_and_the_interfaces_of_one_product_beside_each_other(bob) -> None:
    page = bob.page("/register")
    listed = re.findall(r'class="product".*?value="(.*?)".*?<b>(.*?)</b>', page.text)
    assert [title for _, title in listed] == sorted(
        (title for _, title in listed), key=lambda title: title.casefold().removeprefix("a ")
    )
    names = [name for name, _ in listed]
    for family in (["rt", "mail-rt"], ["ggus", "mail-ggus"], ["znuny", "znuny-soap", "mail-otrs"]):
        place = names.index(family[0])
        assert names[place : place + len(family)] == family
    assert names[-1] != "mail"
    assert names[0] != "mail"


def test_the_answers_become_the_document_that_apply_takes_and_the_secret_is_in_none_of_it(stand, begun, rt) -> None:
    page = begun.page(ADDRESS)
    data = stand.house.store.read(lambda tx: tx.registry.document("system", NAME))
    assert data.applied_by == "bob"
    taken = begun.page(f"{ADDRESS}/document")
    assert yaml.safe_load(taken.text) == {
        "kind": "system",
        "name": NAME,
        "connector": "rt",
        "settings": {
            "url": rt.url,
            "queue": rt.queue,
            "external_id": "ExternalId",
            "token": {"secret": "sealed:token"},
        },
        "mapping": "rt",
        "support_units": ["NGI_XX"],
        "contacts": ["ops@example.org"],
    }
    assert [each.verb for each in stand.house.helm.plan(taken.text)] == ["unchanged"]
    changing = begun.page(f"{ADDRESS}?connector=rt")
    assert "kept; type it only to change it" in changing.text
    (seal,) = stand.house.store.read(lambda tx: tx.seals.list())
    assert (seal.system, seal.name) == (NAME, "token")
    told = [str(each) for each in stand.house.store.read(lambda tx: tx.audit.list())]
    for text in (page.text, taken.text, changing.text, seal.box, *told):
        assert rt.token not in text
    assert stand.house.interdesk.settings.state.joinpath("seal.key").stat().st_mode & 0o777 == 0o600


def test_what_is_wrong_is_told_at_once_and_what_was_typed_is_there_again_but_for_the_secret(stand, bob, rt) -> None:
    wrong = answers(rt, **{"set-queue": "", "contacts": "nobody", "secret-token": "s3cret-of-bob"})
    page = bob.submit(f"{ADDRESS}/answers", wrong, form="/register")
    assert page.status_code == 409
    assert "queue is missing: the queue&#39;s name" in page.text or "a contact is an e-mail address" in page.text
    assert f'value="{rt.url}"' in page.text
    assert "s3cret-of-bob" not in page.text
    assert bob.page(ADDRESS).text.count("Which helpdesk is it?") == 1


def test_an_address_without_its_scheme_is_told_before_a_secret_is_sealed_for_it(bob, rt) -> None:
    bare = answers(rt, **{"set-url": "rt.example.org"})
    page = bob.submit(f"{ADDRESS}/answers", bare, form="/register")
    assert page.status_code == 409
    assert "url is the whole address, with https:// before it, and not &#39;rt.example.org&#39;" in page.text


@pytest.mark.parametrize(
    ("moved", "told"),
    [
        ("/index.html", "see that RT answers at this address, and that no more of a page&#39;s path is in it"),
        ("", "check the credentials, and what they may reach; and that it is RT that answers there"),
    ],
)
def test_whoever_names_a_wrong_address_or_token_is_told_what_to_look_at(begun, rt, moved, told) -> None:
    wrong = answers(rt, **{"set-url": rt.url + moved, "secret-token": rt.token if moved else "1-14-wrong"})
    begun.submit(f"{ADDRESS}/answers", wrong, form="/register")
    page = begun.submit(f"{ADDRESS}/explore", form=ADDRESS)
    assert "not proven" in page.text
    assert told in page.text


def test_a_unit_that_is_not_ones_own_is_not_claimed(bob, rt) -> None:
    page = bob.submit(f"{ADDRESS}/answers", answers(rt, units="NGI_XX, NGI_DE"), form="/register")
    assert page.status_code == 409
    assert "the support unit NGI_DE is not yours to claim" in page.text


def test_another_address_asks_for_the_secret_again(begun, rt) -> None:
    again = answers(rt, **{"secret-token": "", "contacts": "noc@example.org"})
    assert begun.submit(f"{ADDRESS}/answers", again, form="/register").status_code == 200
    moved = answers(rt, **{"secret-token": "", "set-url": "https://rt.example.org"})
    page = begun.submit(f"{ADDRESS}/answers", moved, form="/register")
    assert page.status_code == 409
    assert "and not for https://rt.example.org" in page.text


def test_asking_it_finds_fields_proves_the_mapping_and_writes_nothing(stand, begun, rt) -> None:
    before = {key: dict(each.fields) for key, each in rt.tracker.issues.items()}
    page = begun.submit(f"{ADDRESS}/explore", form=ADDRESS)
    assert page.status_code == 200, page.text
    for words in (
        "proven: it works, and nothing was written",
        "fields were found there",
        "Proven: every promise holds.",
    ):
        assert words in page.text
    for words in ("Mails that it sends because of us", "an automatic reply to the requestor", "Its table of states"):
        assert words in page.text
    assert {key: dict(each.fields) for key, each in rt.tracker.issues.items()} == before
    assert "Asked " in begun.page(ADDRESS).text
    (entry,) = entries(stand, "prove a registration")
    assert (entry.by, entry.subject, entry.data["proven"]) == ("bob", NAME, True)


def test_a_wrong_credential_is_told_in_a_sentence(begun, rt) -> None:
    begun.submit(f"{ADDRESS}/answers", answers(rt, **{"secret-token": "wrong-token"}), form="/register")
    page = begun.submit(f"{ADDRESS}/explore", form=ADDRESS)
    assert "not proven" in page.text
    assert "wrong-token" not in page.text


def test_ten_real_tickets_are_previewed_and_nothing_is_written(stand, begun, rt) -> None:
    before = stand.house.store.read(lambda tx: len(tx.tickets.list(limit=200)))
    page = begun.submit(f"{ADDRESS}/foresee", form=ADDRESS)
    assert page.status_code == 200, page.text
    assert "1 ticket looked at; nothing was written" in page.text
    assert "The CE refuses jobs" in page.text
    assert stand.house.store.read(lambda tx: len(tx.tickets.list(limit=200))) == before


def document(stand):
    return stand.house.store.read(lambda tx: tx.registry.document("system", NAME)).data


def test_who_wins_may_be_said_or_left_to_the_mapping(stand, begun) -> None:
    assert "the mapping decides who wins" in begun.page(ADDRESS).text
    chosen = {"otherwise": "ask", "internal_comments": "share", "comment_deletes": ""}
    assert "That is in its document now" in begun.submit(f"{ADDRESS}/policy", chosen, form=ADDRESS).text
    assert document(stand)["policy"] == {"otherwise": "ask", "internal_comments": "share"}
    page = begun.page(ADDRESS).text
    assert '<option value="ask" selected>' in page
    assert '<option value="share" selected>' in page
    with_one_field = begun.page(f"{ADDRESS}/document").text.replace("policy:", "policy:\n  status: remote")
    stand.house.helm.apply(with_one_field, "bob")
    begun.submit(f"{ADDRESS}/policy", {"otherwise": ""}, form=ADDRESS)
    assert document(stand)["policy"] == {"status": "remote"}
    odd = begun.submit(f"{ADDRESS}/policy", {"otherwise": "mine"}, form=ADDRESS)
    assert (odd.status_code, "there is no policy &#39;mine&#39;" in odd.text) == (409, True)


def test_a_mark_may_be_set_and_left_out_again(stand, begun) -> None:
    assert "restored from a backup" in begun.page(ADDRESS).text
    half = begun.submit(f"{ADDRESS}/marker", {"ticket": "17", "field": " "}, form=ADDRESS)
    assert (half.status_code, "marker" in document(stand)) == (409, False)
    begun.submit(f"{ADDRESS}/marker", {"ticket": "17", "field": "CF.Mark"}, form=ADDRESS)
    assert document(stand)["marker"] == {"ticket": "17", "field": "CF.Mark"}
    assert 'value="CF.Mark"' in begun.page(ADDRESS).text
    begun.submit(f"{ADDRESS}/marker", {"ticket": "", "field": ""}, form=ADDRESS)
    assert "marker" not in document(stand)


def shown_secret(page):
    return re.search(r"<dt>Secret</dt><dd><code>([\w-]+)</code>", page.text)[1]


def test_a_webhooks_address_and_secret_are_shown_once_and_what_is_signed_with_it_is_kept(stand, begun) -> None:
    assert "is asked every minute what changed" in begun.page(ADDRESS).text
    page = begun.submit(f"{ADDRESS}/webhook", form=ADDRESS)
    secret = shown_secret(page)
    for words in (
        f"/hooks/{NAME}</code>",
        "shown now and never again",
        "its key is at ticket of its JSON body",
        "the header X-Hub-Signature-256 bears sha256=HEX, the HMAC-SHA256 of the body as it is sent under the secret",
        "let a script there post it",
    ):
        assert words in page.text
    assert document(stand)["webhook"] == {"secret": {"secret": "sealed:webhook"}}
    later = begun.page(ADDRESS)
    assert "sealed; it is shown to nobody" in later.text
    assert secret not in later.text + begun.page(f"{ADDRESS}/document").text
    begun.submit(f"{ADDRESS}/shadow", form=ADDRESS)
    desk, body = stand.house.interdesk, b'{"ticket": "17"}'
    inbox = Inbox(desk.means, desk.gateways, desk.secrets)

    def hint(key: str) -> int:
        signed = f"sha256={hmac.new(key.encode(), body, 'sha256').hexdigest()}"
        return inbox.receive(NAME, {"x-hub-signature-256": signed}, body).status

    assert (hint(secret), hint("another")) == (202, 403)
    again = begun.submit(f"{ADDRESS}/webhook", form=ADDRESS)
    assert (again.status_code, "is shadow already" in again.text) == (409, True)


def test_another_secret_makes_the_one_before_void_and_a_webhook_is_taken_away_or_left_behind(stand, begun, rt) -> None:
    first, second = (shown_secret(begun.submit(f"{ADDRESS}/webhook", form=ADDRESS)) for _ in range(2))
    desk = stand.house.interdesk
    hook = desk.gateways.webhook(NAME)
    assert first != second == desk.secrets.look_up(hook.secret, hook.whose)
    begun.submit(f"{ADDRESS}/no-webhook", form=ADDRESS)
    assert "webhook" not in document(stand)
    begun.submit(f"{ADDRESS}/webhook", form=ADDRESS)
    begun.submit(f"{ADDRESS}/answers", answers(rt, contacts="noc@example.org"), form="/register")
    assert "webhook" in document(stand)
    moved = {"set-url": "https://rt.example.org"}
    assert begun.submit(f"{ADDRESS}/answers", answers(rt, **moved), form="/register").status_code == 200
    assert "webhook" not in document(stand)


def test_a_product_that_signs_by_itself_is_given_the_address_and_the_secret(stand) -> None:
    carl = stand.browser("carl")
    zammad = {"connector": "zammad", "mapping": "zammad", "set-url": "https://desk.example.org", "secret-token": "x"}
    more = {"set-group": "ggus", "set-customer": "ggus-sync"}
    assert carl.submit("/register/ngi-zz/answers", {**zammad, **more}, form="/register").status_code == 200
    page = carl.submit("/register/ngi-zz/webhook", form="/register/ngi-zz")
    for words in ("Zammad does so by itself", "X-Hub-Signature bears sha1=HEX", "at ticket.id of its JSON body"):
        assert words in page.text


def test_both_sides_sign_what_is_lost_and_only_then_it_goes_live(stand, begun) -> None:
    page = begun.page(ADDRESS)
    assert "Sign for the centre" not in page.text
    assert "Go live" not in page.text
    early = begun.submit(f"{ADDRESS}/live", form=ADDRESS)
    assert (early.status_code, state(stand)) == (409, "draft")
    assert "still to be signed for the system and the centre" in early.text
    signed = digest(page)
    refused = begun.submit(f"{ADDRESS}/sign", {"side": "centre", "digest": signed}, form=ADDRESS)
    assert (refused.status_code, "the central team&#39;s" in refused.text) == (409, True)
    assert "Signed for the system by bob" in begun.submit(f"{ADDRESS}/sign", {"side": "system", "digest": signed}).text
    carl = stand.browser("carl")
    stale = carl.submit(f"{ADDRESS}/sign", {"side": "centre", "digest": "0" * 64})
    assert (stale.status_code, "another one by now" in stale.text) == (409, True)
    assert "Signed for the centre by carl" in carl.submit(f"{ADDRESS}/sign", {"side": "centre", "digest": signed}).text
    assert "in shadow" in begun.submit(f"{ADDRESS}/shadow", form=ADDRESS).text
    assert state(stand) == "shadow"
    assert "It is live" in begun.submit(f"{ADDRESS}/live", form=ADDRESS).text
    assert state(stand) == "live"
    told = [(each.by, each.subject, each.data["side"]) for each in entries(stand, "sign the loss statement")]
    assert told == [("carl", NAME, "centre"), ("bob", NAME, "system")]


def test_a_system_that_was_registered_here_goes_live_by_no_other_door_before_both_sides_have_signed(
    stand, begun
) -> None:
    helm, carl = stand.house.helm, principal("carl")
    assert helm.unsigned(NAME) == ("system", "centre")
    with pytest.raises(NotNow, match="still to be signed for the system and the centre"):
        helm.go_live(NAME, "root")  # as the command line does
    with pytest.raises(NotNow, match="still to be signed for the system and the centre"):
        stand.house.systems.go_live(carl, NAME)  # as the REST door and the system's page do
    browser, signed = stand.browser("carl"), digest(begun.page(ADDRESS))
    browser.submit(f"{ADDRESS}/sign", {"side": "system", "digest": signed}, form=ADDRESS)
    with pytest.raises(NotNow, match="still to be signed for the centre"):
        helm.go_live(NAME, "root")
    browser.submit(f"{ADDRESS}/sign", {"side": "centre", "digest": signed}, form=ADDRESS)
    assert helm.unsigned(NAME) == ()
    assert stand.house.systems.go_live(carl, NAME).state == "live"


def test_another_mapping_is_signed_anew(stand, begun) -> None:
    begun.submit(f"{ADDRESS}/sign", {"side": "system", "digest": digest(begun.page(ADDRESS))}, form=ADDRESS)
    mapping = stand.house.store.read(lambda tx: tx.registry.document("mapping", "rt")).source
    lossier = re.sub(r"\n  priority:(\n    .*)+", "", mapping)
    assert lossier != mapping
    stand.house.helm.apply(lossier, "carl")
    assert "Not signed for the system yet" in begun.page(ADDRESS).text


def test_whoever_comes_back_finds_it_and_may_go_on_or_begin_with_another_product(begun) -> None:
    page = begun.page("/register")
    assert f'href="{ADDRESS}"' in page.text
    other = begun.page(f"{ADDRESS}?connector=redmine")
    assert "the project&#39;s identifier" in other.text
    assert "kept; type it only" not in other.text


def test_what_takes_part_already_is_not_changed_here(stand, rt) -> None:
    page = stand.browser("olga").submit(f"/register/{'ngi-cz'}/answers", answers(rt, units="NGI_CZ"), form="/register")
    assert page.status_code == 409
    assert "ngi-cz is live already" in page.text


def test_who_may_not_register_systems_is_refused_and_is_shown_no_way_there(stand, rt) -> None:
    for login in ("alice", "sue", "tess", "aude"):
        browser = stand.browser(login)
        assert browser.page("/register").status_code == 403
        assert browser.page("/register/ngi-cz").status_code == 403
        assert browser.submit(f"{ADDRESS}/answers", answers(rt), form="/account").status_code == 403
        assert 'href="/register"' not in browser.page("/systems").text
    assert not stand.house.store.read(lambda tx: tx.seals.list())


def test_another_ngis_system_is_not_there_whether_it_is_or_not(stand, bob, rt) -> None:
    said = {**answers(rt), "side": "system", "digest": "x"}
    for act in ("answers", "policy", "marker", "webhook", "no-webhook", "explore", "foresee", "sign", "shadow", "live"):
        told = []
        for name in ("ngi-de", "ngi-no"):
            assert bob.page(f"/register/{name}").status_code == 404
            assert bob.page(f"/register/{name}/document").status_code == 404
            page = bob.submit(f"/register/{name}/{act}", said, form="/register")
            assert page.status_code == 404
            told.append(page.text.replace(name, "NAME"))
        assert told[0] == told[1]
    assert not stand.house.store.read(lambda tx: tx.seals.list())


def test_a_form_without_its_token_does_nothing(stand, bob, rt) -> None:
    answer = bob.post(f"{bob.address}{ADDRESS}/answers", data=answers(rt), timeout=120)
    assert answer.status_code == 403
    assert not stand.house.store.read(lambda tx: tx.seals.list())


def test_the_central_team_names_any_system_and_a_product_that_is_none_is_not_there(stand) -> None:
    carl = stand.browser("carl")
    assert 'placeholder="ngi-xx"' in carl.page("/register").text
    assert carl.submit("/register", {"name": "ngi-yy", "connector": "abacus"}).status_code == 404
    assert carl.submit("/register", {"name": "", "connector": "rt"}).status_code == 409
    on = carl.submit("/register", {"name": "<b>no name</b>", "connector": "rt"})
    assert "<b>no name</b>" not in on.text
