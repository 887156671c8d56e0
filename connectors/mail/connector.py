"""The mail family's connector: a helpdesk that is told by mail and answers by mail, and cannot be read.

What answers in its place is the shadow in our mailbox. `fetch` and the rest of the contract read that, so that whoever
uses connectors needs to know nothing of it.
"""

import json
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import wraps
from hashlib import sha256
from typing import Concatenate, ParamSpec, TypeVar

from connectors.api import (
    Change,
    ChangePage,
    CommentDraft,
    Commented,
    Cursor,
    Finding,
    Lookup,
    RemoteField,
    RemoteFile,
    RemoteTicket,
    Value,
    Written,
)
from connectors.environment import Environment
from connectors.errors import ConnectorError, NotFound, ProtocolError, Refused, Transient, Unknown
from connectors.mail import bodies, mailbox
from connectors.mail.intake import Intake
from connectors.mail.mailbox import Mailbox
from connectors.mail.post import Post
from connectors.mail.profile import MAX_FILE, MailProfile
from connectors.mail.reading import MailFile, file_of
from connectors.mail.sending import Correspondents, Sending
from connectors.mail.shadow import Entry, EntryKind, Filed, fold, short
from connectors.mail.threads import KEY, Numbers, Signer
from connectors.mail.trust import Policy
from connectors.network import Deadline
from connectors.profiled.values import plain

_Result = TypeVar("_Result")
_Words = ParamSpec("_Words")
PAGE = 100
BOUNCE_STANDS = timedelta(days=1)
"""How long a mail that came back keeps its ticket from being told anything more, unless they write, or the address
is another one."""


def _call(
    act: "Callable[Concatenate[MailConnector, _Words], _Result]",
) -> "Callable[Concatenate[MailConnector, _Words], _Result]":
    """One call at a time, and one deadline over all of it."""

    @wraps(act)
    def kept(self: "MailConnector", /, *args: _Words.args, **words: _Words.kwargs) -> _Result:
        with self.call():
            return act(self, *args, **words)

    return kept


class MailConnector:
    """Speaks to one registered helpdesk by mail."""

    def __init__(
        self,
        profile: MailProfile,
        environment: Environment,
        box: Mailbox,
        post: Post,
        *,
        between: Correspondents,
        secret: str,
        number: str,
        policy: Policy,
        deadline: Deadline | None = None,
    ) -> None:
        """`secret`: what our marks are signed with; `number`: the profile's template, its settings filled in;
        `deadline`: what `box` and `post` keep, begun anew with each call."""
        self.capabilities = replace(profile.powers, max_file=min(environment.max_file, MAX_FILE))
        self._profile, self._here, self._box, self._post = profile, environment, box, post
        self._between, self._deadline = between, deadline or Deadline(environment.monotonic)
        self._lock = threading.RLock()
        self._signer = Signer(secret, between.ours.rpartition("@")[2])
        numbers = Numbers(number)
        self._intake = Intake(profile, box, self._signer, numbers, policy, environment.clock)
        self._sending = Sending(profile, environment, box, post, between, self._signer, numbers)

    @_call
    def describe(self) -> Sequence[RemoteField]:
        self._box.check()
        return [RemoteField(name, line.kind, max_length=line.max_length) for name, line in self._profile.fields.items()]

    @_call
    def changes(self, since: Cursor | None) -> ChangePage:
        if since is None:
            return self._begin()
        more_waits = self._intake.take()
        place = json.loads(since.position) if since.position else {}
        generation = self._box.generation()
        floor, after, told = (int(place.get(name, 0)) for name in ("floor", "after", "told"))
        if place.get("generation", generation) != generation:  # the uids are others now: time alone tells
            floor = after = told = 0
        slips = self._box.since(max(floor, after), since.at)
        page = slips[:PAGE]
        latest = {each.key: each.uid for each in page if not each.pending}
        more = more_waits or len(slips) > len(page)
        told_too = max((each.uid for each in page), default=told)
        kept = {"generation": generation, "floor": floor, "told": max(told, told_too)}
        if more:
            kept["after"] = page[-1].uid if page else after
        at = since.at if more else max((since.at, *(each.at for each in page)))
        rows = self._rows(latest, {key for key, uid in latest.items() if uid > told})
        return ChangePage(rows, Cursor(at, json.dumps(kept)), more)

    @_call
    def scan(self, position: str) -> ChangePage:
        self._take_all()
        firsts = [each for each in self._box.find(mailbox.FIRST, "yes") if each.uid > int(position or 0)]
        page = [each for each in firsts if not each.pending][:PAGE]
        keys = tuple(dict.fromkeys(each.key for each in page))
        at = max((each.at for each in page), default=self._here.clock())
        more = bool(page) and page[-1].uid < firsts[-1].uid
        return ChangePage(self._rows(keys, keys), Cursor(at, str(page[-1].uid) if page else position), more)

    @_call
    def fetch(self, key: str, *, known: Collection[str] | None = None, version: str | None = None) -> RemoteTicket:
        self._ensure_key(key)
        self._take_all()
        ticket = self._told(key, known)
        return replace(ticket, comments=None) if known is not None and version == ticket.version else ticket

    @_call
    def find(self, token: str, since: datetime) -> RemoteTicket | Lookup:
        self._take_all()
        with suppress(NotFound):
            if KEY.fullmatch(token):
                ticket = self._told(token, ())
                if ticket.token == token:
                    return ticket
        bound = since + self.capabilities.search_lag + self._here.deadline
        return Lookup.ABSENT if self._here.clock() >= bound else Lookup.UNKNOWN

    @_call
    def create(self, fields: Mapping[str, Value], *, token: str) -> RemoteTicket:
        known = {name: _canonical(value) for name, value in fields.items() if name in self._profile.fields}
        stranger = next((name for name in fields if name not in known), None)
        if stranger is not None:
            raise Refused(self._no_such(stranger), field=stranger)
        subject = str(known.get("subject") or "")
        entry = Entry(
            token, self._signer.id(token, token), EntryKind.FIRST, True, self._between.ours, fields=known, token=token
        )
        said = {name: value for name, value in known.items() if name not in ("subject", "description")}
        text = bodies.write(self._profile, str(known.get("description") or ""), {n: v for n, v in said.items() if v})
        self._sending.send(entry, subject, text, (), ())
        return self._after(token, ())

    @_call
    def update(self, key: str, patch: Mapping[str, Value], *, held: RemoteTicket | None) -> Written:
        self._ensure_key(key)
        told = self._thread(key)
        known = {name: _canonical(value) for name, value in patch.items() if name in self._profile.fields}
        refused = {name: self._no_such(name) for name in patch if name not in known}
        if known:
            words = [key, held.version if held else "", *(f"{name}={known[name]!r}" for name in sorted(known))]
            token = f"U{sha256('|'.join(words).encode()).hexdigest()[:20]}"
            entry = Entry(key, self._signer.id(token, key), EntryKind.SET, True, self._between.ours, fields=known)
            self._sending.send(entry, self._subject(told), bodies.write(self._profile, "", known), (), told)
        return Written(self._after(key, None), frozenset(known), refused)

    @_call
    def comment(self, key: str, draft: CommentDraft, *, token: str) -> Commented:
        self._ensure_key(key)
        told = self._thread(key)
        if draft.internal:
            raise Refused("whoever gets the mail reads it: internal comments are never sent", field="internal")
        files = [self._packed(each.name, each.media_type, each.open) for each in draft.files]
        listed = tuple((each.name, each.media_type, len(each.content)) for each in files)
        message_id = self._signer.id(token, key)
        text = str(plain(draft.text) or "")
        entry = Entry(key, message_id, EntryKind.SAID, True, self._between.ours, text=text, files=listed, token=token)
        self._sending.send(entry, self._subject(told), bodies.write(self._profile, text, {}), files, told)
        ticket = self._after(key, ())
        return Commented(next(each for each in ticket.comments or () if each.id == short(message_id)), ticket)

    def edit_comment(self, key: str, comment_id: str, draft: CommentDraft, *, token: str) -> None:  # noqa: ARG002
        raise Refused("a mail that was sent cannot be edited")

    def delete_comment(self, key: str, comment_id: str) -> None:  # noqa: ARG002 (nothing sent can be changed)
        raise Refused("a mail that was sent cannot be taken back")

    def download(self, file: RemoteFile) -> AbstractContextManager[Iterator[bytes]]:
        return self._download(file)

    def wait(self, seconds: float) -> bool:
        """Wait until a mail arrives, at most so long; whether one did: then it is time to ask for changes."""
        return self._box.wait(seconds)

    @_call
    def probe(self) -> Sequence[Finding]:
        findings: list[Finding] = []
        try:
            missing = self._box.check()
            findings.append(Finding(True, f"our mailbox can be read, and {self._between.theirs} is written to"))
            findings += [
                Finding(True, f"the folder {name} is not there yet; it is made when it is needed") for name in missing
            ]
        except ConnectorError as trouble:
            findings.append(Finding(False, f"our mailbox cannot be read: {trouble}", "mend imap, user and password"))
        try:
            self._post.check()
            findings.append(Finding(True, "the server takes mail from us"))
        except ConnectorError as trouble:
            findings.append(Finding(False, f"no mail can be sent: {trouble}", "mend smtp, user and password"))
        return findings

    @contextmanager
    def call(self) -> Iterator[None]:
        """:raises Transient: others have the connection for too long."""
        seconds = self._here.deadline.total_seconds()
        if not self._lock.acquire(timeout=seconds):
            raise Transient("others are at our mailbox; it is asked again later")
        try:
            self._deadline.begin(seconds)
            yield
        finally:
            self._lock.release()

    def close(self) -> None:
        self._box.close()

    def _begin(self) -> ChangePage:
        """What waits already was there before: it is taken in, and is nothing new."""
        self._take_all()
        kept = {"generation": self._box.generation(), "floor": self._box.newest()}
        return ChangePage((), Cursor(self._here.clock(), json.dumps(kept)), more=False)

    def _take_all(self) -> None:
        """Take in all that waits.  :raises Transient: there is too much for one call; what was done stays done."""
        while self._intake.take():
            if self._deadline.at - self._here.monotonic() < self._here.deadline.total_seconds() / 4:
                raise Transient("more mail waits than one call can take in; it goes on from there")

    def _rows(self, keys: Iterable[str], news: Collection[str]) -> tuple[Change, ...]:
        """Of these tickets. One whose mail came back has no version: it deserves one look, while that is news."""
        rows = []
        for key in keys:
            try:
                ticket = self._told(key, None)
                rows.append(Change(key, ticket.version, ticket.changed_at, fields=ticket.fields))
            except (NotFound, Refused):
                if key in news:
                    rows.append(Change(key, "", self._here.clock()))
        return tuple(rows)

    def _told(self, key: str, known: Collection[str] | None) -> RemoteTicket:
        after = self._here.clock() - BOUNCE_STANDS
        thread = self._intake.thread(key)
        return fold(thread, self._profile.fields, to=self._between.theirs.lower(), known=known, bounce_after=after)

    def _thread(self, key: str) -> tuple[Filed, ...]:
        """:raises NotFound: there is no such ticket."""
        told = tuple(each for each in self._intake.thread(key) if each.entry.kind is not EntryKind.BOUNCED)
        if not told:
            raise NotFound("no mail tells of such a ticket")
        return told

    def _subject(self, told: Sequence[Filed]) -> str:
        return f"Re: {told[0].entry.fields.get('subject') or ''}"

    def _after(self, key: str, known: Collection[str] | None) -> RemoteTicket:
        try:
            return self._told(key, known)
        except ConnectorError as trouble:
            raise Unknown(f"the mail was sent, and reading our own archive failed: {trouble}", key=key) from None

    def _packed(
        self, name: str, media_type: str, opened: Callable[[], AbstractContextManager[Iterator[bytes]]]
    ) -> MailFile:
        """:raises Refused: it is too large for a mail."""
        limit, pieces, size = self.capabilities.max_file or 0, list[bytes](), 0
        with opened() as chunks:
            for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise Refused(
                        f"the file {name!r} is larger than {limit} bytes, too large for a mail", field="files"
                    )
                pieces.append(chunk)
        return MailFile(name, media_type, b"".join(pieces))

    @contextmanager
    def _download(self, file: RemoteFile) -> Iterator[Iterator[bytes]]:
        label, _, number = file.id.partition("/")
        with self.call():
            slips = [each for each in self._box.find(mailbox.ID, label) if label and number.isdecimal()]
            original = self._box.original(slips[0].uid) if slips else None
        found = file_of(original, int(number)) if original is not None else None
        if found is None:
            raise NotFound(f"the mail of the file {file.name!r} is gone from our archive")
        if len(found.content) > self._here.max_file:
            raise ProtocolError(f"the file {file.name!r} is larger than {self._here.max_file} bytes")
        content = found.content
        yield (content[begin : begin + 65536] for begin in range(0, len(content), 65536))

    def _no_such(self, name: str) -> str:
        return f"{self._profile.product} is not told {name!r}; it is told: {', '.join(self._profile.fields)}"

    def _ensure_key(self, key: str) -> None:
        """:raises NotFound: it is none."""
        if not KEY.fullmatch(key):
            raise NotFound(f"{key!r} is no key of {self._profile.product}")


def _canonical(value: Value) -> Value:
    """As it will be read: what was told is all that there is to read."""
    return plain(value) if isinstance(value, str) else value
