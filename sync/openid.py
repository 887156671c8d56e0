"""The OpenID provider of the instance's document, put together."""

from functools import partial

from central.desk.auth import Gate
from central.desk.openid import OpenId, Provider
from central.store.api import Store
from connectors.environment import Environment
from sync.config import InstanceDocument
from sync.secrets import Secrets
from sync.web import GuardedWeb

BACK = "/sign-in/back"
"""Where the provider sends people back to, below `public_url`."""


def desk(
    instance: InstanceDocument, store: Store, gate: Gate, environment: Environment, secrets: Secrets
) -> OpenId | None:
    """Where people sign in with their organisation; None: the document names no provider."""
    named = instance.oidc
    if named is None:
        return None
    secret = partial(secrets.look_up, named.client_secret.secret) if named.client_secret else None
    back = f"{instance.public_url}{BACK}"
    provider = Provider(named.issuer, named.client_id, back, secret, named.scopes, named.granted)
    return OpenId(store, gate, environment.clock, GuardedWeb(environment), provider)
