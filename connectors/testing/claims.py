"""The claims of `connectors.api`, one per test."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.api import CommentDraft, Commented, Cursor, FileDraft, Lookup, RemoteTicket, VersionStrength
from connectors.errors import AccessError, NotFound, ProtocolError, Refused, VersionConflict
from connectors.testing.hostile import CONTROLS, readable
from connectors.testing.stand import Stand, draft, listed

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


class ConnectorConformance:
    """The claims of `connectors.api`, one per test."""

    def test_a_created_ticket_bears_what_was_sent_and_is_found_by_its_token(self, stand: Stand) -> None:
        token = stand.token()
        fields = {**stand.extra, stand.subject: "Ünïcode ✓ jobs", stand.description: "one\n\n  two ✓"}
        made = stand.connector.create(fields, token=token)
        found = stand.find(token)
        assert isinstance(found, RemoteTicket)
        assert found.key == made.key
        assert found.token == token
        assert found.own
        assert found.fields[stand.subject] == "Ünïcode ✓ jobs"
        assert found.fields[stand.description] == "one\n\n  two ✓"
        assert found.version == made.version

    def test_a_token_that_nobody_has_is_unknown_at_first_and_absent_in_the_end(self, stand: Stand) -> None:
        stand.create()
        assert stand.connector.find(stand.token(), LONG_AGO) is Lookup.ABSENT
        ahead = datetime.now(UTC) + timedelta(days=1)
        assert stand.connector.find(stand.token(), ahead) is Lookup.UNKNOWN

    def test_a_written_field_arrives_and_no_other_changes(self, stand: Stand) -> None:
        before = stand.create()
        written = stand.connector.update(before.key, {stand.subject: "jobs still fail"}, held=before)
        assert written.applied == {stand.subject}
        assert written.refused == {}
        assert written.after.fields == {**before.fields, stand.subject: "jobs still fail"}
        assert stand.connector.fetch(before.key).fields == written.after.fields

    def test_a_refused_value_is_told_in_words_and_the_rest_is_applied(self, stand: Stand) -> None:
        if stand.refused is None:
            pytest.skip("this tracker refuses nothing")
        name, value = stand.refused
        before = stand.create()
        written = stand.connector.update(before.key, {name: value, stand.subject: "and yet"}, held=before)
        assert written.applied == {stand.subject}
        assert set(written.refused) == {name}
        assert len(written.refused[name]) > 10, "a reason is a sentence"
        after = stand.connector.fetch(before.key)
        assert after.fields[name] == before.fields[name]
        assert after.fields[stand.subject] == "and yet"

    def test_a_field_that_is_none_of_its_own_is_refused_and_breaks_nothing(self, stand: Stand) -> None:
        before = stand.create()
        written = stand.connector.update(before.key, {"no_such_field": "x", stand.subject: "still"}, held=before)
        assert set(written.refused) == {"no_such_field"}
        assert written.after.fields[stand.subject] == "still"

    def test_a_person_is_put_in_charge_and_taken_off_again(self, stand: Stand) -> None:
        if stand.owner is None:
            pytest.skip("nobody can be put in charge here")
        name, person = stand.owner
        ticket = stand.create()
        assert ticket.fields[name] is None
        written = stand.connector.update(ticket.key, {name: person}, held=ticket)
        assert written.refused == {}
        assert written.after.fields[name] == person
        written = stand.connector.update(ticket.key, {name: None}, held=written.after)
        assert written.refused == {}
        assert written.after.fields[name] is None

    def test_a_ticket_that_moved_meanwhile_is_a_conflict_and_nothing_is_written(self, stand: Stand) -> None:
        stand.need(stand.connector.capabilities.preconditions, "preconditions")
        held = stand.create()
        stand.people.change(held.key, stand.subject, "a person was here")
        with pytest.raises(VersionConflict):
            stand.connector.update(held.key, {stand.subject: "ours"}, held=held)
        assert stand.connector.fetch(held.key).fields[stand.subject] == "a person was here"

    def test_a_strong_version_moves_with_every_change_and_with_nothing_else(self, stand: Stand) -> None:
        stand.need(stand.connector.capabilities.version is VersionStrength.STRONG, "strong version")
        ticket = stand.create()
        assert stand.connector.fetch(ticket.key).version == ticket.version
        stand.people.change(ticket.key, stand.subject, "one")
        second = stand.connector.fetch(ticket.key)
        stand.people.say(ticket.key, "two")
        third = stand.connector.fetch(ticket.key)
        assert len({ticket.version, second.version, third.version}) == 3

    def test_an_unmoved_version_may_spare_the_comments_and_a_moved_one_never_does(self, stand: Stand) -> None:
        ticket = stand.create()
        same = stand.connector.fetch(ticket.key, known=(), version=ticket.version)
        assert same.comments in (None, ())
        assert same.fields == ticket.fields
        stand.people.say(ticket.key, "hello")
        moved = stand.connector.fetch(ticket.key, known=(), version=ticket.version)
        assert [each.text for each in moved.comments or ()] == ["hello"]

    def test_history_tells_who_changed_what_from_what(self, stand: Stand) -> None:
        stand.need(stand.connector.capabilities.history, "history")
        ticket = stand.create("first")
        stand.people.change(ticket.key, stand.subject, "second")
        stand.connector.update(ticket.key, {stand.subject: "third"}, held=stand.connector.fetch(ticket.key))
        changes = [each for each in stand.connector.fetch(ticket.key, known=()).history if each.field == stand.subject]
        assert [(each.old, each.new, each.own) for each in changes] == [
            ("first", "second", False),
            ("second", "third", True),
        ]

    # -- comments and files ----------------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        "text",
        [
            "one line",
            "two\nlines\n\n  and an indented one",
            "Grüße, 日本語, emoji 🚑, quotes \" ' `, <b>no markup</b> & such",
            "> quoted\n> [interdesk 7Q-OTHER]\nand answered",
            "]]> <![CDATA[ <!DOCTYPE a> &amp; &#65; &lt;b&gt; </Body>",
            "{key} {text} {token:sql} {{twice}} %s ${HOME} $(id)",
            "שלום \u202eabc\u202c مرحبا, e\u0301 and \u00e9, \U0001f9d1\u200d\U0001f692",
            "0",
        ],
    )
    def test_our_comment_comes_back_as_it_was_with_its_token_taken_out(self, stand: Stand, text: str) -> None:
        ticket, token = stand.create(), stand.token()
        written = stand.connector.comment(ticket.key, CommentDraft(text), token=token).comment
        (found,) = stand.comments(ticket.key)
        assert (found.id, found.text, found.token) == (written.id, text, token)
        assert found.own
        assert not found.internal

    def test_line_ends_of_other_systems_are_one_line_end(self, stand: Stand) -> None:
        ticket = stand.create(description="one\r\ntwo\rthree")
        assert ticket.fields[stand.description] == "one\ntwo\nthree"
        stand.connector.comment(ticket.key, CommentDraft("one\r\ntwo\rthree\r\n"), token=stand.token())
        stand.people.say(ticket.key, "four\r\n\r\nfive")
        assert {each.text for each in stand.comments(ticket.key)} == {"one\ntwo\nthree", "four\n\nfive"}

    def test_control_characters_break_neither_a_text_nor_its_mark(self, stand: Stand) -> None:
        ticket, token = stand.create(), stand.token()
        try:
            stand.connector.comment(ticket.key, CommentDraft(CONTROLS), token=token)
        except Refused:
            assert stand.comments(ticket.key) == ()
        else:
            (found,) = stand.comments(ticket.key)
            assert (readable(found.text), found.token) == (readable(CONTROLS), token)

    def test_a_comment_of_ten_megabytes_is_said_to_be_too_large_or_comes_whole(self, stand: Stand) -> None:
        ticket, huge = stand.create(), "wörds & <more> " * (10 * 1024 * 1024 // 15)
        longest = stand.connector.capabilities.max_comment
        if not stand.large or (longest is not None and longest < len(huge)):
            pytest.skip("nobody can write so much there")
        stand.people.say(ticket.key, huge)
        stand.people.say(ticket.key, "and more")
        try:
            first, second = stand.comments(ticket.key)
        except ProtocolError as refused:  # an answer that says it more than once is larger than agreed
            if "larger than" not in str(refused):
                raise
            return
        assert first.too_large or first.text.rstrip() == huge.rstrip()
        assert second.text == "and more"

    def test_the_longest_comment_that_is_accepted_comes_back_whole_and_a_longer_one_is_refused(
        self, stand: Stand
    ) -> None:
        longest = stand.connector.capabilities.max_comment
        if longest is None or longest > 100_000:
            pytest.skip("this connector has no limit worth trying")
        ticket, token = stand.create(), "7Q-" + "X" * 40
        stand.connector.comment(ticket.key, CommentDraft("x" * longest), token=token)
        with pytest.raises(Refused):
            stand.connector.comment(ticket.key, CommentDraft("x" * (longest + 1)), token=stand.token())
        assert [(each.text, each.token) for each in stand.comments(ticket.key)] == [("x" * longest, token)]

    def test_a_persons_comment_is_theirs_and_is_not_listed_once_it_is_known(self, stand: Stand) -> None:
        ticket = stand.create()
        stand.people.say(ticket.key, "first\nof all")
        (first,) = stand.comments(ticket.key)
        assert (first.text, first.own, first.internal, first.token) == ("first\nof all", False, False, None)
        assert first.author.key
        stand.people.say(ticket.key, "second")
        (second,) = stand.comments(ticket.key, known=(first.id,))
        assert second.text == "second"
        assert stand.comments(ticket.key, known=(first.id, second.id)) == ()

    def test_known_comments_are_shown_as_they_stand_now_and_those_that_are_gone_are_not(self, stand: Stand) -> None:
        stand.need(stand.connector.capabilities.whole_conversation, "reading of whole conversations")
        ticket = stand.create()
        for text in ("first", "second", "third"):
            stand.people.say(ticket.key, text)
        first, second, third = stand.comments(ticket.key)
        stand.people.reword(ticket.key, first.id, "first, edited")
        stand.people.reword(ticket.key, second.id, "")
        found = stand.connector.fetch(ticket.key, known=(first.id, second.id))
        assert [(each.id, each.text) for each in found.known_comments or ()] == [(first.id, "first, edited")]
        assert [each.id for each in found.comments or ()] == [third.id]
        moved = stand.connector.fetch(ticket.key, known=(first.id,), version=ticket.version)
        assert [each.text for each in moved.known_comments or ()] == ["first, edited"]

    def test_our_comment_is_edited_as_often_as_we_like_and_keeps_its_token(self, stand: Stand) -> None:
        stand.need(stand.connector.capabilities.edit_comments, "way to edit comments")
        ticket, token = stand.create(), stand.token()
        written = stand.connector.comment(ticket.key, CommentDraft("as it was"), token=token).comment
        for text in ("better\nby a line", "better\nby a line", "best"):
            stand.connector.edit_comment(ticket.key, written.id, CommentDraft(text), token=token)
            (found,) = stand.comments(ticket.key)
            assert (found.id, found.text, found.token, found.internal) == (written.id, text, token, False)

    def test_a_comment_of_others_is_not_ours_to_change(self, stand: Stand) -> None:
        stand.need(stand.connector.capabilities.edit_comments, "way to edit comments")
        ticket = stand.create()
        stand.people.say(ticket.key, "theirs")
        (theirs,) = stand.comments(ticket.key)
        with pytest.raises(Refused):
            stand.connector.edit_comment(ticket.key, theirs.id, CommentDraft("ours"), token=stand.token())
        with pytest.raises(Refused):
            stand.connector.delete_comment(ticket.key, theirs.id)
        assert [each.text for each in stand.comments(ticket.key)] == ["theirs"]

    def test_our_comment_is_taken_away_and_taking_it_away_again_is_nothing(self, stand: Stand) -> None:
        stand.need(stand.connector.capabilities.delete_comments, "way to take comments away")
        ticket = stand.create()
        stand.people.say(ticket.key, "theirs")
        written = stand.connector.comment(ticket.key, CommentDraft("ours"), token=stand.token()).comment
        for _ in range(2):
            stand.connector.delete_comment(ticket.key, written.id)
            assert [each.text for each in stand.comments(ticket.key)] == ["theirs"]
        with pytest.raises(NotFound):
            stand.connector.edit_comment(ticket.key, written.id, CommentDraft("again"), token=stand.token())

    def test_what_cannot_be_done_to_comments_is_refused(self, stand: Stand) -> None:
        can = stand.connector.capabilities
        if can.edit_comments and can.delete_comments:
            pytest.skip("everything can be done here")
        ticket = stand.create()
        written = stand.connector.comment(ticket.key, CommentDraft("stays"), token=stand.token()).comment
        if not can.edit_comments:
            with pytest.raises(Refused):
                stand.connector.edit_comment(ticket.key, written.id, CommentDraft("x"), token=stand.token())
        if not can.delete_comments:
            with pytest.raises(Refused):
                stand.connector.delete_comment(ticket.key, written.id)
        assert [each.text for each in stand.comments(ticket.key)] == ["stays"]

    def test_an_internal_comment_is_listed_without_its_text_and_files(self, stand: Stand) -> None:
        stand.need(stand.connector.capabilities.internal_comments, "internal comments")
        ticket = stand.create()
        stand.people.say(ticket.key, "CANARY in the text", internal=True, files={"CANARY.txt": b"CANARY"})
        stand.people.say(ticket.key, "for all")
        found = stand.connector.fetch(ticket.key, known=())
        assert "CANARY" not in repr(found)
        assert [each.text for each in found.comments or () if not each.internal] == ["for all"]

    def test_our_internal_comment_is_internal_there(self, stand: Stand) -> None:
        stand.need(stand.connector.capabilities.internal_comments, "internal comments")
        ticket, token = stand.create(), stand.token()
        written = stand.connector.comment(ticket.key, CommentDraft("among us", internal=True), token=token).comment
        assert written.internal
        assert [(each.id, each.internal) for each in stand.comments(ticket.key)] == [(written.id, True)]

    @pytest.mark.parametrize(
        ("name", "content", "media_type"),
        [
            ("one.bin", b"\x00", "application/octet-stream"),
            ("naïve 日本語 🚑.dat", b"bytes \r\n of \x00 many \xff kinds", "application/octet-stream"),
            ("latin-1.txt", "Grüße\r\n".encode("latin-1"), "text/plain"),
            ("page.html", "<p>Grüße</p>\n\n".encode(), "text/html"),
            ("message.eml", b"Subject: x\r\n\r\nbody \xe9\r\n", "message/rfc822"),
        ],
    )
    def test_a_file_of_ours_comes_back_byte_by_byte(
        self, stand: Stand, name: str, content: bytes, media_type: str
    ) -> None:
        stand.need(stand.connector.capabilities.files, "files")
        ticket = stand.create()
        self._send(stand, ticket.key, draft(name, content, media_type))
        assert self._files(stand, ticket.key) == [(name, content)]

    def test_a_file_of_twenty_megabytes_comes_back_byte_by_byte_or_is_refused(self, stand: Stand) -> None:
        stand.need(stand.connector.capabilities.files, "files")
        content = bytes(range(256)) * (81920 if stand.large else 20480)
        ticket = stand.create()
        if (stand.connector.capabilities.max_file or len(content)) < len(content):
            with pytest.raises(Refused):
                self._send(stand, ticket.key, draft("twenty.bin", content))
            assert stand.comments(ticket.key) == ()
            return
        self._send(stand, ticket.key, draft("twenty.bin", content))
        assert self._files(stand, ticket.key) == [("twenty.bin", content)]

    def test_an_empty_file_is_stored_or_refused_with_nothing_written(self, stand: Stand) -> None:
        stand.need(stand.connector.capabilities.files, "files")
        ticket = stand.create()
        if stand.connector.capabilities.empty_files:
            self._send(stand, ticket.key, draft("empty.bin", b""))
            assert self._files(stand, ticket.key) == [("empty.bin", b"")]
        else:
            with pytest.raises(Refused) as refused:
                self._send(stand, ticket.key, draft("empty.bin", b""))
            assert refused.value.field == "files"
            assert stand.comments(ticket.key) == ()

    def test_two_files_of_one_name_stay_two(self, stand: Stand) -> None:
        stand.need(stand.connector.capabilities.files, "files")
        ticket = stand.create()
        self._send(stand, ticket.key, draft("log.txt", b"first"), draft("log.txt", b"second"))
        assert self._files(stand, ticket.key) == [("log.txt", b"first"), ("log.txt", b"second")]

    def test_a_persons_file_hangs_on_their_comment(self, stand: Stand) -> None:
        stand.need(stand.connector.capabilities.files, "files")
        ticket = stand.create()
        stand.people.say(ticket.key, "see the log", files={"ümlaut.log": b"line\n"})
        (comment,) = stand.comments(ticket.key)
        assert comment.text == "see the log"
        assert self._files(stand, ticket.key) == [("ümlaut.log", b"line\n")]

    # -- polling ---------------------------------------------------------------------------------------------------

    def test_going_live_carries_only_later_changes(self, stand: Stand) -> None:
        old = stand.people.open("old", "was there before")
        stand.settle()
        first = stand.connector.changes(None)
        assert first.changes == ()
        assert not first.more
        overlapping = Cursor(first.cursor.at - timedelta(minutes=5), first.cursor.position)
        assert listed(stand.connector, overlapping)[0] == []
        stand.settle()
        new = stand.people.open("new", "came after")
        changes, cursor = listed(stand.connector, first.cursor)
        assert [each.key for each in changes] == [new]
        stand.settle()
        stand.people.change(old, stand.subject, "old and touched")
        assert old in {each.key for each in listed(stand.connector, cursor)[0]}

    def test_a_change_is_listed_again_where_the_caller_overlaps(self, stand: Stand) -> None:
        first = stand.connector.changes(None).cursor
        stand.settle()
        key = stand.people.open("new", "text")
        changes, cursor = listed(stand.connector, first)
        assert [each.key for each in changes] == [key]
        again = Cursor(cursor.at - timedelta(minutes=5), cursor.position)
        assert [each.key for each in listed(stand.connector, again)[0]] == [key]

    def test_a_row_shows_the_version_that_the_ticket_has(self, stand: Stand) -> None:
        stand.need(stand.connector.capabilities.row_version is not VersionStrength.NONE, "version in its rows")
        first = stand.connector.changes(None).cursor
        stand.settle()
        key = stand.people.open("new", "text")
        (change,) = listed(stand.connector, first)[0]
        ticket = stand.connector.fetch(key)
        assert change.version == (ticket.row_version or ticket.version)
        assert change.changed_at == ticket.changed_at

    def test_many_changes_of_one_moment_are_all_listed_even_while_they_move(self, stand: Stand) -> None:
        if not stand.many:
            pytest.skip("opening many tickets takes too long here")
        first = stand.connector.changes(None).cursor
        stand.settle()
        keys = [stand.people.open(f"ticket {number}", "text") for number in range(stand.many)]
        page = stand.connector.changes(first)
        assert page.more
        assert 0 < len(page.changes) < len(keys)
        stand.settle()
        moved = page.changes[0].key
        stand.people.change(moved, stand.subject, "moved between two pages")
        rest, cursor = listed(stand.connector, page.cursor)
        assert {each.key for each in (*page.changes, *rest)} == set(keys)
        later, cursor = listed(stand.connector, cursor)
        assert moved in {each.key for each in (*rest, *later)}
        stand.settle()
        stand.people.change(keys[-1], stand.subject, "touched")
        assert keys[-1] in {each.key for each in listed(stand.connector, cursor)[0]}

    def test_a_full_scan_lists_every_ticket_once(self, stand: Stand) -> None:
        keys = {stand.people.open("one", "text"), stand.create().key}
        found: list[str] = []
        position, more = "", True
        while more:
            page = stand.connector.scan(position)
            found += [each.key for each in page.changes]
            position, more = page.cursor.position, page.more
        assert keys <= set(found)
        assert len(found) == len(set(found))

    # -- what is not there -----------------------------------------------------------------------------------------

    @pytest.mark.parametrize("key", ["999999999", "no-such-key", "../1", "1/../2", "", "1?x=y", "１"])
    def test_a_key_that_is_none_is_not_found(self, stand: Stand, key: str) -> None:
        stand.create()
        with pytest.raises(NotFound):
            stand.connector.fetch(key, known=())
        with pytest.raises(NotFound):
            stand.connector.update(key, {stand.subject: "x"}, held=None)
        with pytest.raises(NotFound):
            stand.connector.comment(key, CommentDraft("x"), token=stand.token())

    def test_wrong_credentials_are_an_access_error_that_shows_none_of_them(self, stand: Stand) -> None:
        if stand.stranger is None:
            pytest.skip("there are no credentials here")
        key = stand.create().key
        stranger = stand.stranger()
        for attempt in (
            lambda: stranger.fetch(key),
            lambda: stranger.create({stand.subject: "x"}, token=stand.token()),
            lambda: stranger.update(key, {stand.subject: "x"}, held=None),
            lambda: stranger.comment(key, CommentDraft("x"), token=stand.token()),
        ):
            with pytest.raises(AccessError) as denied:
                attempt()
            assert not any(secret in repr(denied.value) for secret in stand.secrets)
        assert not all(finding.ok for finding in stranger.probe())

    def test_the_probe_finds_all_well_and_writes_nothing(self, stand: Stand) -> None:
        stand.create()
        before = stand.writes() if stand.writes else 0
        findings = stand.connector.probe()
        assert [each for each in findings if not each.ok] == []
        assert findings
        assert (stand.writes() if stand.writes else 0) == before

    def test_the_schema_names_the_fields_that_tickets_have(self, stand: Stand) -> None:
        names = {each.name: each for each in stand.connector.describe()}
        assert names[stand.subject].writable
        assert {name for name in names if name not in stand.create().fields} == set()

    @staticmethod
    def _send(stand: Stand, key: str, *files: FileDraft) -> Commented:
        return stand.connector.comment(key, CommentDraft("with files", files=files), token=stand.token())

    @staticmethod
    def _files(stand: Stand, key: str) -> list[tuple[str, bytes]]:
        """The files of its only comment, as they are downloaded."""
        (comment,) = stand.comments(key)
        found = []
        for file in comment.files:
            with stand.connector.download(file) as chunks:
                found.append((file.name, b"".join(chunks)))
            assert file.size in (None, len(found[-1][1]))
        return found
