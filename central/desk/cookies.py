"""The cookie of a session, and how a form is known to come from one of our own pages.

A form is believed on two grounds, as neither alone holds everywhere. The browser says where it was sent from
(`Sec-Fetch-Site`, or `Origin`): that also covers the sign-in form, which belongs to no session yet. And it carries a
token made from the cookie of its session (`Gate.form_token`), which another site cannot read and a neighbouring
subdomain cannot plant, as it could with a second cookie that is only compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

FORM_FIELD = "form_token"
"""The name of the hidden field that carries a form's token."""


@dataclass(frozen=True, slots=True)
class Cookies:
    """How a cookie is called and set. `public_url`: where people reach these pages."""

    public_url: str = ""
    called: str = "interdesk"

    @property
    def secure(self) -> bool:
        """Whether people come over TLS: then no other host, and nothing in the clear, can set or read it."""
        return self.public_url.startswith("https://")

    @property
    def name(self) -> str:
        """Its name."""
        return f"__Host-{self.called}" if self.secure else self.called

    def set(self, text: str, at: datetime, expires_at: datetime) -> str:
        """The value of a `Set-Cookie` header."""
        return self.set_for(text, max(0, int((expires_at - at).total_seconds())))

    def set_for(self, text: str, seconds: int) -> str:
        """The same, for so long from now on."""
        return f"{self.name}={text}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{'; Secure' * self.secure}"

    def clear(self) -> str:
        """The value of a `Set-Cookie` header that takes it away."""
        return self.set_for("", 0)

    def sent_from_here(self, headers: Mapping[str, str]) -> bool:
        """Whether a request that changes something was sent by a page of ours, or by no browser; header names are in
        small letters."""
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        origin = headers.get("origin")
        if origin is None:
            return True
        sender, ours = urlsplit(origin), urlsplit(self.public_url)
        if self.public_url and (sender.scheme, sender.netloc) == (ours.scheme, ours.netloc):
            return True
        return sender.scheme in ("http", "https") and sender.netloc == headers.get("host", "")
