"""`conflict list|resolve`, beside a running interdesk."""

from tests.cli.test_running import running, until


def test_a_person_decides_what_both_sides_changed(desk) -> None:
    ask = "policy: {otherwise: ask}\n"
    cz, pl = desk.cz + "birth_unit: NGI_PL\n" + ask, desk.pl + ask
    assert desk.type("apply", "--live", desk.write(cz, pl)).code == 0
    alice, bob = desk.rt.tracker.person("alice"), desk.redmine.tracker.person("Bob Nowak")
    there = desk.redmine.tracker.issues
    with running(desk):
        key = alice.open(Subject="CE refuses jobs")
        until(lambda: len(there) == 2, "the ticket is in Redmine")
        until(lambda: desk.type("status", "--json").data["systems"][1]["due"] == 0, "nothing is owed")
    other = max(there, key=int)
    alice.edit(key, Subject="CE refuses all jobs")
    bob.edit(other, subject="CE refuses some jobs")
    with running(desk):
        until(lambda: desk.type("conflict", "list", "--json").data, "the conflict waits")
        (found,) = desk.type("conflict", "list", "--json").data
        said = {"ngi-cz": "CE refuses all jobs", "ngi-pl": "CE refuses some jobs"}
        theirs = said.pop(found["system"])  # whoever was read second is in the conflict
        assert (found["field"], found["theirs"], found["ours"]) == ("subject", theirs, *said.values())
        assert "interdesk conflict resolve CONFLICT --take" in desk.type("conflict", "list").out
        said = desk.type("conflict", "resolve", str(found["id"]), "--take", "theirs")
        assert (said.code, f"{theirs!r} in {found['system']} and here" in said.out) == (0, True)
        until(lambda: desk.rt.tracker.issues[key].fields["Subject"] == theirs, "RT has it")
        until(lambda: there[other].fields["subject"] == theirs, "Redmine has it")
    assert desk.type("conflict", "list", "--json").data == []
    said = desk.type("conflict", "resolve", "99", "--take", "ours")
    assert (said.code, "no conflict 99 waits" in said.err) == (2, True)
