"""Registering a system, step by step, for who has never seen interdesk. What was done is there when one comes back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from central.desk.registering import CHOICES, SIDES, TICKETS, RegisterDesk, Registration
from central.desk.services import Services
from central.desk.services.errors import NotNow, OutOfReach, Wrong
from central.desk.services.registrations import Answers, Explored, Foreseen, NewHook, Product
from central.desk.views.states import picture
from central.desk.web.pages import SAID, Pages
from central.desk.web.visitors import Visitor, Visitors
from central.registry import SystemState
from central.rights import Forbidden
from central.store.api import NoSuch

FAMILIES = {
    "rest": "over its REST interface",
    "soap": "over its SOAP interface",
    "mail": "needs no interface; less can be read there",
}
_SETTING, _SECRET = "set-", "secret-"


def router(services: Services, desk: RegisterDesk, visitors: Visitors, pages: Pages) -> APIRouter:
    """The pages of a registration, and what is done there."""
    routes = APIRouter(prefix="/register")
    SignedIn = Annotated[Visitor, Depends(visitors.signed_in)]  # noqa: N806  # they name types
    Acting = Annotated[Visitor, Depends(visitors.acting)]  # noqa: N806

    async def form(request: Request) -> FormData:
        return await request.form()

    def product_of(visitor: Visitor, connector: str) -> Product:
        found = next((each for each in desk.products(visitor.principal) if each.name == connector), None)
        if found is None:
            raise NoSuch(f"there is no product {connector!r} to choose")
        return found

    def begin(visitor: Visitor, *, name: str = "", problem: str = "", status: int = 200) -> Response:
        return pages.page(
            "register.html",
            visitor,
            status,
            here="systems",
            names=desk.names(visitor.principal),
            begun=desk.begun(visitor.principal),
            products=desk.products(visitor.principal),
            families=FAMILIES,
            name=name,
            problem=problem,
        )

    def answering(
        visitor: Visitor, name: str, product: Product, given: Mapping[str, str], problems: Sequence[str] = ()
    ) -> Response:
        """The page of its address and credentials. `given`: what is said already; never a secret."""
        return pages.page(
            "register_answers.html",
            visitor,
            409 if problems else 200,
            here="systems",
            name=name,
            product=product,
            given=given,
            said=[ask.name for ask in product.asks if given.get(f"{_SETTING}{ask.name}", ask.default) != ask.default],
            problems=problems,
        )

    def steps(
        visitor: Visitor,
        found: Registration,
        *,
        said: str = "",
        problem: str = "",
        explored: Explored | None = None,
        foreseen: Foreseen | None = None,
        made: NewHook | None = None,
        status: int = 200,
    ) -> Response:
        """`made`: a webhook's secret, which is shown this once."""
        name = found.system.name
        try:
            dictionary = services.store.read(lambda tx: services.dictionaries.shown(tx, name))
        except Wrong as wrong:
            dictionary, problem = None, problem or str(wrong)
        return pages.page(
            "register_steps.html",
            visitor,
            status,
            here="systems",
            name=name,
            found=found,
            product=product_of(visitor, str(found.document.data["connector"])),
            family=FAMILIES,
            dictionary=dictionary,
            picture=picture(dictionary.states) if dictionary and dictionary.states else None,
            explored=explored,
            foreseen=foreseen,
            hook=desk.hook(visitor.principal, name),
            made=made,
            sides=SIDES,
            mine=[side for side in desk.sides(visitor.principal) if side not in found.signed],
            most=TICKETS,
            State=SystemState,
            said=said,
            problem=problem,
        )

    def begun(visitor: Visitor, name: str) -> Registration:
        found = desk.find(visitor.principal, name)
        if found is None:
            raise NoSuch(f"the registration of {name!r} has not begun")
        return found

    def optional(visitor: Visitor, name: str, act: Callable[[], None]) -> Response:
        """What may be left as it is, said otherwise."""
        try:
            act()
        except (NotNow, Wrong) as problem:
            told = "; ".join(_unique(problem)) if isinstance(problem, Wrong) else str(problem)
            return steps(visitor, begun(visitor, name), problem=_sentence(told), status=409)
        return _back(name, "amended")

    @routes.get("")
    def choose(visitor: SignedIn, name: str = "") -> Response:
        return begin(visitor, name=name)

    @routes.post("")
    def chosen(visitor: Acting, name: Annotated[str, Form()] = "", connector: Annotated[str, Form()] = "") -> Response:
        name = name.strip()
        if not name or not connector:
            said = "Say what the system is to be called." if not name else "Choose what kind of helpdesk it is."
            return begin(visitor, name=name, problem=said, status=409)
        product_of(visitor, connector)
        desk.find(visitor.principal, name)
        return RedirectResponse(f"/register/{quote(name, safe='')}?connector={quote(connector, safe='')}", 303)

    @routes.get("/{name}")
    def show(visitor: SignedIn, name: str, connector: str = "", said: str = "") -> Response:
        found = desk.find(visitor.principal, name)
        if found is None and not connector:
            return begin(visitor, name=name)
        if connector and (found is None or found.is_draft):
            return answering(visitor, name, product_of(visitor, connector), _given(found))
        return steps(visitor, begun(visitor, name), said=SAID.get(said, ""))

    @routes.get("/{name}/document")
    def document(visitor: SignedIn, name: str) -> Response:
        kept = {"Content-Disposition": 'attachment; filename="system.yaml"'}
        return Response(begun(visitor, name).document.source, media_type="application/yaml", headers=kept)

    @routes.post("/{name}/answers")
    def answer(visitor: Acting, name: str, sent: Annotated[FormData, Depends(form)]) -> Response:
        given = {key: value.strip() for key, value in sent.items() if isinstance(value, str)}
        product = product_of(visitor, given.get("connector", ""))
        answers = Answers(
            product.name,
            given.get("mapping", ""),
            {each.name: given.get(f"{_SETTING}{each.name}", "") for each in product.asks if each.kind != "secret"},
            {
                each.name: given[f"{_SECRET}{each.name}"]
                for each in product.asks
                if each.kind == "secret" and given.get(f"{_SECRET}{each.name}")
            },
            _listed(given.get("units", "")),
            _listed(given.get("contacts", "")),
        )
        try:
            told = desk.answer(visitor.principal, name, answers)
        except Wrong as wrong:
            return answering(visitor, name, product, _shown(given), _unique(wrong))
        except (NotNow, Forbidden) as refused:
            return answering(visitor, name, product, _shown(given), [str(refused)])
        return _back(name, "key-made" if told else "answered-all")

    @routes.post("/{name}/policy")
    def policy(visitor: Acting, name: str, sent: Annotated[FormData, Depends(form)]) -> Response:
        chosen = {each: str(sent.get(each, "")) for each in CHOICES}
        return optional(visitor, name, lambda: desk.choose_policy(visitor.principal, name, chosen))

    @routes.post("/{name}/marker")
    def marker(
        visitor: Acting, name: str, ticket: Annotated[str, Form()] = "", field: Annotated[str, Form()] = ""
    ) -> Response:
        return optional(
            visitor, name, lambda: desk.choose_marker(visitor.principal, name, ticket.strip(), field.strip())
        )

    @routes.post("/{name}/webhook")
    def webhook(visitor: Acting, name: str) -> Response:
        try:
            made = desk.open_hook(visitor.principal, name)
        except (NotNow, Wrong) as problem:
            return steps(visitor, begun(visitor, name), problem=_sentence(problem), status=409)
        return steps(visitor, begun(visitor, name), made=made)

    @routes.post("/{name}/no-webhook")
    def no_webhook(visitor: Acting, name: str) -> Response:
        return optional(visitor, name, lambda: desk.close_hook(visitor.principal, name))

    @routes.post("/{name}/explore")
    def explore(visitor: Acting, name: str) -> Response:
        try:
            explored = desk.explore(visitor.principal, name)
        except (NotNow, OutOfReach, Wrong) as problem:
            return steps(visitor, begun(visitor, name), problem=_sentence(problem), status=409)
        return steps(visitor, begun(visitor, name), explored=explored)

    @routes.post("/{name}/foresee")
    def foresee(visitor: Acting, name: str) -> Response:
        try:
            foreseen = desk.foresee(visitor.principal, name)
        except (NotNow, OutOfReach, Wrong) as problem:
            return steps(visitor, begun(visitor, name), problem=_sentence(problem), status=409)
        return steps(visitor, begun(visitor, name), foreseen=foreseen)

    @routes.post("/{name}/sign")
    def sign(visitor: Acting, name: str, side: Annotated[str, Form()], digest: Annotated[str, Form()]) -> Response:
        try:
            desk.sign(visitor.principal, name, side, digest)
        except NotNow as problem:
            return steps(visitor, begun(visitor, name), problem=_sentence(problem), status=409)
        return _back(name, "signed")

    @routes.post("/{name}/{act}")
    def turn(visitor: Acting, name: str, act: str) -> Response:
        try:
            match act:
                case "shadow":
                    desk.go_into_shadow(visitor.principal, name)
                case "live":
                    desk.go_live(visitor.principal, name)
                case _:
                    return pages.said(f"Nothing is called {act} in a registration.", visitor, 404)
        except (NotNow, OutOfReach, Wrong) as problem:
            return steps(visitor, begun(visitor, name), problem=_sentence(problem), status=409)
        return _back(name, {"shadow": "shadowed", "live": "live"}[act])

    return routes


def _back(name: str, said: str) -> Response:
    return RedirectResponse(f"/register/{name}?said={said}", 303)


def _sentence(problem: Exception | str) -> str:
    said = str(problem).rstrip(".")
    return f"{said[:1].upper()}{said[1:]}."


def _listed(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))


def _unique(wrong: Wrong) -> list[str]:
    return list(dict.fromkeys(sentence for _, sentence in wrong.problems))


def _shown(given: Mapping[str, str]) -> dict[str, str]:
    """What was typed, to be shown again: all but the secrets."""
    return {key: value for key, value in given.items() if not key.startswith(_SECRET)}


def _given(found: Registration | None) -> dict[str, str]:
    """What the draft says already, as the form has it."""
    if found is None:
        return {}
    data = found.document.data
    settings = data.get("settings", {})
    texts = {f"{_SETTING}{key}": str(value) for key, value in settings.items() if not isinstance(value, Mapping)}
    kept = {f"kept-{key}": "yes" for key, value in settings.items() if isinstance(value, Mapping)}
    lists = {key: ", ".join(data.get(of) or ()) for key, of in (("units", "support_units"), ("contacts", "contacts"))}
    return {**texts, **kept, **lists, "mapping": str(data.get("mapping", "")), "connector": str(data["connector"])}
