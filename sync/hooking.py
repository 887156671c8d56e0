"""Setting up a tracker's webhook: its secret, and what is typed in there."""

import secrets as entropy

from central.desk.services.errors import NotNow
from central.desk.services.registrations import Hook, NewHook
from central.registry import Document
from central.store.api import NoSuch, Transaction
from connectors import registry
from connectors.profiled.profile import Hooks, Profile
from sync.bootstrap import Interdesk
from sync.checks import hook_address
from sync.config import profile_document, system_document
from sync.gateways import profile_of
from sync.helm import Helm
from sync.sealing import NoKey, NotSealed
from sync.stored import read_again

KEPT_AS = "webhook"
"""What a webhook's sealed secret is called."""


def new_hook(helm: Helm, name: str, by: str) -> NewHook:
    """Make a secret and seal it.  :raises NotNow: none can be kept here."""
    value = entropy.token_urlsafe(32)
    try:
        sealed = helm.seal(name, KEPT_AS, value, by, settings=helm.settings(name))
    except (NoKey, NotSealed) as problem:
        raise NotNow(str(problem)) from None
    return NewHook(f"sealed:{KEPT_AS}", value, sealed.told)


def hook(desk: Interdesk, name: str) -> Hook | None:
    """What is typed in there beside the secret; None: its document has no webhook."""
    desk.gateways.refresh()
    found = desk.gateways.webhook(name)
    if found is None:
        return None
    by_itself = desk.store.read(lambda tx: _signs_by_itself(tx, name))
    return Hook(hook_address(desk, name), _signs(found.shape), _names(found.shape), by_itself)


def _signs_by_itself(tx: Transaction, name: str) -> bool:
    """Whether its product's profile tells how it signs, and the document says nothing else."""
    try:
        document = system_document(read_again(tx.registry.document("system", name)))
    except NoSuch:
        return False
    taught: Document | None = profile_of(tx, document.connector)
    profile = profile_document(read_again(taught)) if taught else registry.profiles().get(document.connector)
    said = document.webhook.model_fields_set if document.webhook else set()
    return isinstance(profile, Profile) and profile.hooks is not None and said <= {"secret"}


def _signs(shape: Hooks) -> str:
    if shape.algorithm == "token":
        before = f"{shape.prefix!r} and " if shape.prefix else ""
        return f"the header {shape.header} bears {before}the secret"
    what = "the body as it is sent" if shape.signs == "{body}" else f"the text {shape.signs}"
    signed = f"the header {shape.header} bears {shape.prefix}{shape.encoding.upper()}"
    when = f"; the header {shape.timestamp} says when it was sent" if shape.timestamp is not None else ""
    return f"{signed}, the HMAC-{shape.algorithm.upper()} of {what} under the secret{when}"


def _names(shape: Hooks) -> str:
    at = " or ".join(shape.key)
    return f"{at} of its JSON body" if shape.rows is None else f"{at} of each of {shape.rows} in its JSON body"
