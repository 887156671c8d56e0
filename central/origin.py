"""What those who hand tickets in say about where they come from, and how they find them again by their own id. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """One ticket as another helpdesk knows it. (account, system, id) names one ticket only, once the id is there."""

    account: str
    """The login of whoever said so: ids of one say nothing about those of another."""
    system: str
    """The other helpdesk, as it calls itself."""
    id: str
    """The ticket's id there; '': they did not say."""
    submitter_name: str = ""
    submitter_login: str = ""
    """Whoever submitted it there: a certificate's name, an account."""
