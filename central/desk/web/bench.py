"""The fixture bench: examples handed in, translated both ways, and held against what they say."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Form, UploadFile
from fastapi.responses import Response

from central.desk.examples import ExampleDesk
from central.desk.services.errors import NotNow, OutOfReach, Wrong
from central.desk.services.examples import Example, Handed
from central.desk.web.pages import Pages
from central.desk.web.visitors import Visitor, Visitors
from central.store.api import NoSuch

LARGEST = 4_000_000
"""Bytes that are read of a file: a text of a million characters is no larger."""
PASTED = "pasted"
"""What a text is called that came without a file."""


def router(desk: ExampleDesk, visitors: Visitors, pages: Pages) -> APIRouter:
    """The bench. What is sent here is looked at, answered, and forgotten."""
    routes = APIRouter(prefix="/bench")
    Acting = Annotated[Visitor, Depends(visitors.acting)]  # noqa: N806  # it names a type

    def page(visitor: Visitor, *, status: int = 200, text: str = "", **shown: Any) -> Response:
        """With what was typed still there."""
        principal = visitor.principal
        found: Sequence[Example] = shown.get("examples", ())
        shown = {"by": "", "against": "", "problems": (), "problem": "", "key": "", "system": "", **shown}
        return pages.page(
            "bench.html",
            visitor,
            status,
            here="bench",
            registered=desk.registered(principal),
            shipped=desk.shipped(principal),
            systems=desk.captured(principal),
            text=text,
            green=sum(each.green for each in found),
            **{"examples": (), **shown},
        )

    @routes.get("")
    def show(visitor: Annotated[Visitor, Depends(visitors.signed_in)], of: str = "") -> Response:
        return page(visitor, text=desk.fixtures(visitor.principal, of) if of else "")

    @routes.post("")
    def replay(
        visitor: Acting,
        text: Annotated[str, Form()] = "",
        by: Annotated[str, Form()] = "",
        against: Annotated[str, Form()] = "",
        files: Annotated[list[UploadFile] | None, File()] = None,
    ) -> Response:
        typed: dict[str, Any] = {"text": text, "by": by, "against": against}
        try:
            handed = _handed(text, files or ())
            if not handed:
                return page(visitor, problem="Paste a fixture, or choose a file with some.", status=400, **typed)
            examples = desk.replay(visitor.principal, handed, by=by, against=against)
        except Wrong as wrong:
            return page(visitor, problems=wrong.problems, status=409, **typed)
        return page(visitor, examples=examples, **typed)

    @routes.post("/capture")
    def capture(visitor: Acting, system: Annotated[str, Form()], key: Annotated[str, Form()] = "") -> Response:
        try:
            text = desk.capture(visitor.principal, system, key.strip())
        except (NotNow, OutOfReach, Wrong, NoSuch) as problem:
            if isinstance(problem, NoSuch) and not visitor.sees(system):
                raise
            said = f"{str(problem).rstrip('.')}."
            status = 404 if isinstance(problem, NoSuch) else 409
            return page(visitor, problem=f"{said[:1].upper()}{said[1:]}", status=status, system=system, key=key)
        return page(visitor, text=text, system=system, key=key)

    return routes


def _handed(text: str, files: Sequence[UploadFile]) -> list[Handed]:
    """:raises Wrong: a file is no text, or too long."""
    found, problems = [], []
    if text.strip():
        found.append(Handed(PASTED, text.replace("\r\n", "\n")))
    for each in files:
        if not each.filename:
            continue  # as browsers send a field in which nothing was chosen
        name = "".join(letter for letter in each.filename[-100:] if letter.isprintable())
        data = each.file.read(LARGEST + 1)
        if len(data) > LARGEST:
            problems.append((f"{name}:1:1", f"the file is longer than {LARGEST} bytes"))
            continue
        try:
            found.append(Handed(name, data.decode("utf-8-sig")))
        except UnicodeDecodeError as error:
            problems.append((f"{name}:1:1", f"the file is not UTF-8 text (byte {error.start + 1})"))
    if problems:
        raise Wrong(problems)
    return found
