"""Templates made into pages. Everything is escaped; nothing here decides what is shown."""

from datetime import datetime

import jinja2

from central.desk import views


class Pages:
    """The pages of one centre."""

    def __init__(self, centre: str) -> None:
        environment = jinja2.Environment(
            loader=jinja2.PackageLoader("central.desk.web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(moment=moment, span=views.span, value=views.shown, web=web)
        environment.globals["centre"] = centre
        self._environment = environment

    def status(self, overview: views.Overview) -> str:
        """The status page."""
        return self._environment.get_template("status.html").render(overview=overview)

    def ticket(self, view: views.TicketView, at: datetime) -> str:
        """The page of one ticket."""
        return self._environment.get_template("ticket.html").render(view=view, at=at)

    def missing(self, sentence: str) -> str:
        """A page that says why there is none."""
        return self._environment.get_template("missing.html").render(sentence=sentence)


def moment(at: datetime | None) -> str:
    """A moment for people."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "never"


def web(address: str) -> str:
    """The address if a browser may safely follow it; '' else (a tracker could send a script)."""
    return address if address.startswith(("https://", "http://")) else ""
