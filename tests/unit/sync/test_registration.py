"""Documents enter the registry together or not at all; what does not fit is told at its place."""

from datetime import UTC, datetime
from importlib.resources import files

import pytest

from central.desk.services.systems import Applicant
from central.registry import Document, SystemState
from central.store.memory import MemoryStore
from connectors.environment import Environment
from connectors.registry import profiles
from mappings.library import names, shipped
from mappings.loader import DocumentError, read
from sync import extended, registration
from sync.config import profile_document
from sync.kinds import ConnectorKinds
from sync.registration import Applied, Change
from sync.secrets import Secrets
from sync.stored import as_applied, read_again

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CZ = """\
kind: system
name: ngi-cz
connector: rt
settings: {url: "https://rt.example.cz", queue: ggus, token: {secret: "env:INTERDESK_SECRET_CZ"}}
mapping: rt
support_units: [NGI_CZ]
"""
PL = """\
kind: system
name: ngi-pl
connector: redmine
settings: {url: "https://redmine.example.pl", project: ggus, api_key: {secret: "env:INTERDESK_SECRET_PL"}}
mapping: redmine
support_units: [NGI_PL]
"""


class Office:
    """A registry, and somebody who applies documents to it."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        secrets = Secrets({"INTERDESK_SECRET_CZ": "cz-token-1", "INTERDESK_SECRET_PL": "pl-key-1"})
        self.connectors = ConnectorKinds(Environment(clock=lambda: AT), secrets)

    def apply(self, text: str, *, same_secret: bool = False) -> tuple[Applied, ...]:
        documents = read(text, "all.yaml")
        return self.store.write(
            lambda tx: registration.apply(tx, documents, self.connectors, AT, "ops", Applicant(same_secret))
        )

    def plan(self, text: str) -> tuple[Change, ...]:
        return self.store.read(lambda tx: registration.plan(tx, read(text, "all.yaml"), self.connectors))

    def refused(self, text: str) -> list[str]:
        before = self.registered()
        with pytest.raises(DocumentError) as caught:
            self.apply(text)
        assert self.registered() == before, "nothing is half-written"
        return [str(problem) for problem in caught.value.problems]

    def registered(self) -> list[tuple[str, str, int]]:
        return self.store.read(lambda tx: [(d.kind, d.name, d.revision) for d in tx.registry.documents()])


@pytest.fixture
def office() -> Office:
    return Office()


def both(*texts: str) -> str:
    return "---\n".join(texts)


def test_a_new_system_begins_as_a_draft_and_brings_its_mapping_from_the_library(office: Office) -> None:
    applied = office.apply(both(CZ, PL))
    assert [(each.change.label, each.change.verb, each.change.pinned, each.revision) for each in applied] == [
        ("mapping rt", "new", True, 1),
        ("mapping redmine", "new", True, 1),
        ("system ngi-cz", "new", False, 1),
        ("system ngi-pl", "new", False, 1),
    ]
    system = office.store.read(lambda tx: tx.registry.system("ngi-cz"))
    assert (system.state, system.revision) == (SystemState.DRAFT, 1)


def test_the_same_text_again_changes_nothing(office: Office) -> None:
    office.apply(CZ)
    (again,) = office.apply(CZ)
    assert (again.change.verb, again.change.diff(), again.revision) == ("unchanged", "", 1)


def test_a_change_is_a_new_revision_and_shows_as_a_diff(office: Office) -> None:
    office.apply(CZ)
    (changed,) = office.apply(CZ.replace("queue: ggus", "queue: grid"))
    assert changed.revision == 2
    assert "-settings: " in changed.change.diff()
    assert "queue: grid" in changed.change.diff()
    assert office.store.read(lambda tx: tx.registry.system("ngi-cz")).revision == 2


def test_a_plan_changes_nothing(office: Office) -> None:
    assert [change.verb for change in office.plan(CZ)] == ["new", "new"]
    assert office.registered() == []


def test_one_bad_document_keeps_all_out_and_every_problem_is_told(office: Office) -> None:
    told = office.refused(
        both(CZ.replace("mapping: rt", "mapping: rtt"), PL.replace("connector: redmine", "connector: redmin"))
    )
    assert told == [
        "all.yaml:5:10: there is no mapping 'rtt'; did you mean 'rt'? there are: " + ", ".join(names()),
        "all.yaml:10:12: there is no connector 'redmin'; did you mean 'redmine'? there are: "
        + ", ".join(office.connectors.names()),
        "all.yaml:12:10: mapping redmine translates for connector redmine, and system ngi-pl uses redmin",
    ]


def test_what_the_connector_finds_in_its_settings_is_told_at_its_place(office: Office) -> None:
    told = office.refused(CZ.replace("queue: ggus", "qeue: ggus"))
    assert any(
        "has no setting 'qeue' (did you mean 'queue'?)" in line and line.startswith("all.yaml:4:") for line in told
    )
    assert any("queue is missing" in line and line.startswith("all.yaml:4:1:") for line in told)


def test_a_secret_that_is_not_there_is_told_by_the_name_of_its_variable(office: Office) -> None:
    (told,) = office.refused(CZ.replace("INTERDESK_SECRET_CZ", "INTERDESK_SECRET_NOBODY"))
    assert told.endswith("set the environment variable INTERDESK_SECRET_NOBODY")


def test_a_secret_written_plainly_is_refused_without_being_repeated(office: Office) -> None:
    told = office.refused(CZ.replace('{secret: "env:INTERDESK_SECRET_CZ"}', '"1-14-abcdef0123"'))
    assert any("write a reference" in line for line in told)
    assert "abcdef0123" not in str(told)


def test_a_support_unit_belongs_to_one_system(office: Office) -> None:
    office.apply(CZ)
    (told,) = office.refused(PL.replace("NGI_PL]", "NGI_PL, NGI_CZ]"))
    assert told == "all.yaml:6:25: support unit NGI_CZ belongs to system ngi-cz already; a unit has one system"


def test_a_unit_may_move_from_one_system_to_another_in_one_step(office: Office) -> None:
    office.apply(both(CZ, PL))
    moved = both(CZ.replace("[NGI_CZ]", "[]"), PL.replace("[NGI_PL]", "[NGI_PL, NGI_CZ]"))
    assert [each.change.verb for each in office.apply(moved)] == ["changed", "changed"]


def test_a_secret_belongs_to_one_system(office: Office) -> None:
    office.apply(CZ)
    (told,) = office.refused(PL.replace("INTERDESK_SECRET_PL", "INTERDESK_SECRET_CZ"))
    assert "this secret is system ngi-cz's" in told


def test_a_secret_is_not_taken_along_to_another_address_unasked(office: Office) -> None:
    office.apply(CZ)
    moved = CZ.replace("rt.example.cz", "rt.example.net")
    (told,) = office.refused(moved)
    assert "moves to https://rt.example.net" in told
    assert office.apply(moved, same_secret=True)[0].revision == 2


def test_another_path_of_the_same_address_asks_nobody(office: Office) -> None:
    office.apply(CZ)
    assert office.apply(CZ.replace("rt.example.cz", "rt.example.cz/rt"))[0].revision == 2


def test_a_policy_names_a_field_that_the_mapping_carries(office: Office) -> None:
    (told,) = office.refused(CZ + "policy: {phone: remote}\n")
    assert "a policy is given for 'phone', which mapping rt does not carry" in told
    assert told.startswith("all.yaml:7:10")


def test_a_mapping_that_no_longer_fits_a_registered_system_is_refused(office: Office) -> None:
    office.apply(CZ)
    (told,) = office.refused(shipped("rt").source.replace("connector: rt", "connector: redmine"))
    assert "translates for connector redmine, and system ngi-cz uses rt" in told


def test_a_mapping_of_ones_own_goes_before_the_librarys(office: Office) -> None:
    own = shipped("rt").source.replace("less urgent: 25", "less urgent: 10")
    applied = office.apply(both(own, CZ))
    assert [(each.change.label, each.change.pinned) for each in applied] == [
        ("mapping rt", False),
        ("system ngi-cz", False),
    ]


def test_the_instance_is_not_applied(office: Office) -> None:
    (told,) = office.refused("kind: instance\nname: ggus\n")
    assert "name its file in INTERDESK_CONFIG" in told


def test_an_unknown_kind_is_told_with_the_nearest(office: Office) -> None:
    (told,) = office.refused("kind: sytem\nname: x\n")
    assert "did you mean 'system'?" in told


def test_one_document_twice_is_refused(office: Office) -> None:
    (told,) = office.refused(both(CZ, CZ))
    assert told.startswith("all.yaml:9:7: system ngi-cz is here twice")


def test_a_registered_document_is_found_again_at_its_places(office: Office) -> None:
    office.apply(both(CZ, PL))
    stored = office.store.read(lambda tx: tx.registry.document("system", "ngi-pl"))
    assert str(read_again(stored).place(("mapping",))) == "all.yaml:12:10"


# -- a mapping that extends another ----------------------------------------------------------------------------------

BENT = """\
# ours, bent
kind: mapping
name: ours
extends: rt
fields: {priority: null}
"""


def stored(office: Office, name: str = "ours", revision: int | None = None) -> Document:
    return office.store.read(lambda tx: tx.registry.document("mapping", name, revision))


def test_what_extends_the_library_is_registered_with_all_that_it_took(office: Office) -> None:
    (applied,) = office.apply(BENT)
    assert (applied.change.label, applied.change.verb) == ("mapping ours", "new")
    again = read_again(stored(office))
    assert again.data["fields"].keys() == shipped("rt").data["fields"].keys() - {"priority"}
    assert stored(office).data == again.data
    assert str(again.place(("fields", "status"))).startswith("mappings/library/rt.yaml:")
    assert again.place(("fields", "status")) == shipped("rt").place(("fields", "status"))
    assert str(again.place(("name",))) == "all.yaml:3:7"


def test_what_was_applied_is_given_back_without_what_it_took(office: Office) -> None:
    office.apply(both(CZ, BENT))
    assert as_applied(stored(office)) == BENT


def test_a_change_of_what_it_extends_is_not_taken_before_it_is_applied_again(office: Office) -> None:
    base = "kind: mapping\nname: base\nconnector: rt\nfields:\n  subject: {remote: Subject}\n"
    bent = "kind: mapping\nname: bent\nextends: base\nconstants: {Queue: ggus}\n"
    office.apply(both(bent, base))
    office.apply(base.replace("{remote: Subject}", "{remote: Title}"))
    assert read_again(stored(office, "bent")).data["fields"]["subject"]["remote"] == "Subject"
    (change,) = office.plan(bent)
    assert change.verb == "changed"
    assert "+  subject: {remote: Title}" in change.diff()
    office.apply(bent)
    assert read_again(stored(office, "bent")).data["fields"]["subject"]["remote"] == "Title"
    earlier = read_again(stored(office, "bent", 1))  # and back, as it was then
    office.store.write(lambda tx: registration.apply(tx, [earlier], office.connectors, AT, by="ops"))
    assert read_again(stored(office, "bent")).data["fields"]["subject"]["remote"] == "Subject"
    assert stored(office, "bent").source == stored(office, "bent", 1).source


def test_applying_it_again_changes_nothing(office: Office) -> None:
    office.apply(BENT)
    assert [(each.change.verb, each.revision) for each in office.apply(BENT)] == [("unchanged", 1)]


def test_one_may_extend_what_was_registered_as_an_extension(office: Office) -> None:
    office.apply(BENT)
    office.apply("kind: mapping\nname: more\nextends: ours\nfields: {assigned_to: null}\n")
    again = read_again(stored(office, "more"))
    assert again.data["fields"].keys() == shipped("rt").data["fields"].keys() - {"priority", "assigned_to"}
    assert [each.name for each in again.bases] == ["ours", "rt"]
    (told,) = office.refused(BENT.replace("extends: rt", "extends: more"))
    assert "in a circle: ours extends more, which extends ours" in told


def test_a_system_may_use_a_bent_mapping(office: Office) -> None:
    office.apply(both(CZ.replace("mapping: rt", "mapping: ours"), BENT))
    (told,) = office.refused(CZ.replace("mapping: rt", "mapping: ours") + "policy: {priority: remote}\n")
    assert "a policy is given for 'priority', which mapping ours does not carry" in told


def test_what_cannot_be_extended_is_told_at_its_place(office: Office) -> None:
    (told,) = office.refused(BENT.replace("extends: rt", "extends: redmin"))
    assert told.startswith("all.yaml:4:10: there is no mapping 'redmin'; did you mean 'redmine'?")


def test_a_vocabulary_is_not_applied_and_the_answer_says_what_it_is_for(office: Office) -> None:
    (told,) = office.refused("kind: vocabulary\nname: x\nfields: {a: {}}\n")
    assert "a vocabulary is what `mapping check` proves by" in told


# -- profiles that an operator brings ------------------------------------------------------------------------------

OURS = (files("connectors.profiles") / "plain.yaml").read_text("utf-8").replace("name: plain", "name: ours")
MAPPING = """\
kind: mapping
name: ours
extends: plain
connector: ours
"""
SYSTEM = """\
kind: system
name: ngi-de
connector: ours
settings: {url: "https://desk.example.de", key: {secret: "env:INTERDESK_SECRET_CZ"}}
mapping: ours
support_units: [NGI_DE]
"""


def test_a_tracker_that_nobody_here_has_seen_is_registered_by_documents_alone(office: Office) -> None:
    applied = office.apply(both(SYSTEM, MAPPING, OURS))
    assert [(each.change.label, each.change.verb) for each in applied] == [
        ("profile ours", "new"),
        ("mapping ours", "new"),
        ("system ngi-de", "new"),
    ]


def test_a_registered_profile_is_a_connector_like_any_other(office: Office) -> None:
    office.apply(OURS)
    office.apply(both(SYSTEM, MAPPING))
    told = office.refused(SYSTEM.replace("connector: ours", "connector: uors"))
    assert "there is no connector 'uors'; did you mean 'ours'?" in told[0]


def test_what_is_wrong_in_a_profile_is_told_at_its_place_and_once(office: Office) -> None:
    (told,) = office.refused(both(SYSTEM, MAPPING, OURS.replace("errors: {words", "erors: {words")))
    assert "did you mean 'errors'" in told


def test_a_system_is_held_against_the_profile_that_comes_with_it(office: Office) -> None:
    told = office.refused(both(SYSTEM.replace("key: {", "kye: {"), MAPPING, OURS))
    assert any("Plain has no setting 'kye' (did you mean 'key'?)" in each for each in told)
    assert all(each.startswith("all.yaml:4:") for each in told)


def test_a_profile_does_not_change_so_that_its_systems_are_no_longer_understood(office: Office) -> None:
    office.apply(both(SYSTEM, MAPPING, OURS))
    added = OURS.replace("settings:\n", 'settings:\n  desk: {says: "whose desk"}\n')
    (told,) = office.refused(added)
    assert "system ngi-de, as it is registered (all.yaml:1:1): desk is missing: whose desk" in told


def test_a_registered_profile_goes_before_the_shipped_one_of_its_name(office: Office) -> None:
    office.apply(OURS.replace("name: ours", "name: rt"))
    told = office.refused(CZ)
    assert any("Plain has no setting 'queue'" in line for line in told)


def test_a_profile_that_speaks_anothers_words_uses_its_mapping(office: Office) -> None:
    twin = OURS.replace("family: rest\n", "family: rest\nwords: plain\n")
    system = SYSTEM.replace("mapping: ours", "mapping: plain")
    office.apply(both(system, twin))
    told = office.refused(both(system.replace("ngi-de", "ngi-at").replace("NGI_DE", "NGI_AT"), OURS))
    assert any("mapping plain translates for connector plain, and system ngi-at uses ours" in each for each in told)


BENT_PROFILE = """\
kind: profile
name: ours
extends: plain
product: Ours
fields:
  priority: null
  status: {max_length: 20}
"""


def test_a_profile_that_extends_a_shipped_one_is_registered_with_all_that_it_took(office: Office) -> None:
    office.apply(both(SYSTEM, MAPPING, BENT_PROFILE))
    kept = office.store.read(lambda tx: tx.registry.document("profile", "ours"))
    again = read_again(kept)
    profile = profile_document(again)
    assert (profile.product, profile.family, profile.extends) == ("Ours", "rest", None)
    assert "priority" not in profile.fields
    assert profile.fields["status"].max_length == 20
    assert profile.fields["status"].at == ("status",)
    assert str(again.place(("root",))).startswith("connectors/profiles/plain.yaml:")
    assert str(again.place(("fields", "status", "max_length"))) == "all.yaml:19:24"
    assert as_applied(kept) == BENT_PROFILE
    office.apply(BENT_PROFILE)
    assert [each.change.verb for each in office.apply(BENT_PROFILE)] == ["unchanged"]


def test_what_is_wrong_in_a_profile_that_extends_is_told_in_the_file_that_says_it(office: Office) -> None:
    (told,) = office.refused(BENT_PROFILE.replace("priority: null", "prioritty: null"))
    assert told.startswith(
        "all.yaml:6:3: null removes a key of what is extended, and plain has no 'prioritty' in fields"
    )
    (told,) = office.refused(BENT_PROFILE.replace("extends: plain", "extends: plian"))
    assert told.startswith("all.yaml:3:10: there is no profile 'plian'; did you mean 'plain'?")
    (told,) = office.refused(BENT_PROFILE.replace("max_length: 20", "max_lenght: 20"))
    assert told.startswith("all.yaml:7:12: ")
    office.apply(BENT_PROFILE)
    (told,) = office.refused(
        BENT_PROFILE.replace("name: ours", "name: plain").replace("extends: plain", "extends: ours")
    )
    assert "in a circle" in told


def test_a_shipped_profile_is_laid_by_the_same_rules_here_and_where_documents_are_read() -> None:
    for name, profile in profiles().items():
        written = extended.find_shipped("profile", name)
        assert written is not None
        assert profile_document(extended.whole(written, ())) == profile
