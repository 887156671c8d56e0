"""What our account may do there, as a product tells it."""

from pydantic import model_validator

from connectors.profiled.vocabulary.parts import Part, Request


class Roles(Part):
    """Where rights belong to roles: which of them are ours, and how one is read."""

    ids: str
    """Where the first answer lists their ids. Word: {place}, the registered place's id."""
    read: Request
    """Word: {id}."""


class Rights(Request):
    """Asked for by the probe alone."""

    everything: str | None = None
    """Where the answer says that the account may do everything: an administrator's."""
    roles: Roles | None = None
    """None: the answer has the rights themselves."""
    held: str
    """Where the rights are: a list of names, or an object of name to yes or no."""
    granted: str = ""
    """Where a member of such an object says yes."""
    needed: dict[str, str]
    """Right -> what "the account may" do by it."""
    useful: dict[str, str] = {}
    """Right -> what the account cannot do without it, and may do without."""
    remedy: str = "grant it the right {right}"

    @model_validator(mode="after")
    def _one_place(self) -> "Rights":
        if twice := sorted(set(self.needed) & set(self.useful)):
            raise ValueError(f"{twice[0]} is either needed or useful")
        return self
