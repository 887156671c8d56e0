"""What more a connector to Znuny keeps, on the real one as on its emulator."""

import pytest

from connectors.testing import ConnectorConformance, Stand, draft, listed


class ZnunyConformance(ConnectorConformance):
    """The claims of every connector, but for two files of one name: Znuny numbers the second."""

    def test_two_files_of_one_name_stay_two(self, stand: Stand) -> None:
        ticket = stand.create()
        self._send(stand, ticket.key, draft("log.txt", b"first"), draft("log.txt", b"second"))
        assert self._files(stand, ticket.key) == [("log-1.txt", b"second"), ("log.txt", b"first")]

    def test_a_pending_state_is_set_with_its_time(self, stand: Stand) -> None:
        ticket = stand.create()
        patch = {"State": "pending reminder", "PendingTime": "2037-12-31T12:00:00Z"}
        written = stand.connector.update(ticket.key, patch, held=ticket)
        assert (written.applied, written.refused) == ({"State", "PendingTime"}, {})
        assert {name: written.after.fields[name] for name in patch} == patch

    def test_a_pending_state_without_its_time_is_refused_in_words(self, stand: Stand) -> None:
        ticket = stand.create()
        written = stand.connector.update(ticket.key, {"State": "pending reminder", "Title": "new"}, held=ticket)
        assert written.applied == {"Title"}
        assert "pending" in written.refused["State"]

    def test_a_title_that_is_too_long_is_refused_and_nothing_breaks(self, stand: Stand) -> None:
        ticket = stand.create()
        written = stand.connector.update(ticket.key, {"Title": "x" * 256, "State": "open"}, held=ticket)
        assert written.applied == {"State"}
        assert set(written.refused) == {"Title"}

    def test_a_new_ticket_is_nobodys_and_new(self, stand: Stand) -> None:
        fields = stand.create().fields
        assert (fields["Owner"], fields["State"], fields["CustomerUser"]) == (None, "new", "customer")


def keeps_time(stand: Stand) -> None:
    """Polling brings what changed, once, whatever zone the tracker writes its times in."""
    stand.people.open("old", "was there before")
    stand.settle()
    first = stand.connector.changes(None).cursor
    stand.settle()
    key = stand.people.open("new", "text")
    changes, cursor = listed(stand.connector, first)
    assert [each.key for each in changes] == [key]
    fetched = stand.connector.fetch(key)
    assert fetched.changed_at == changes[0].changed_at
    stand.settle()
    stand.people.change(key, stand.subject, "touched")
    assert [each.key for each in listed(stand.connector, cursor)[0]] == [key]
    assert all(finding.ok for finding in stand.connector.probe())


ZONES = pytest.mark.parametrize("zone", ["Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Pago_Pago"])
