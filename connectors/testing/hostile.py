"""Answers and texts that mean harm, or are merely more than anybody expects."""

XXE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><b>&x;</b></a>'
"""An entity that reads a file of this machine."""
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "ha">'
    + b"".join(b'<!ENTITY l%d "%s">' % (number, b"&l%d;" % (number - 1) * 10) for number in range(1, 11))
    + b"]><a>&l10;</a>"
)
"""An entity that swells to twenty thousand million characters."""
DEEP = b"[" * 200_000
"""Lists in lists, deeper than any parser's stack."""
ANSWERS = {"xxe": ("text/xml", XXE), "laughs": ("text/xml", LAUGHS), "deep": ("application/json", DEEP)}
"""What an answer says instead, by the name of the fault."""
CONTROLS = "bell \x07, escape \x1b[31m, nul \x00, delete \x7f, form feed \x0c and \x85 end"
"""Characters that no XML carries, and few databases like."""


def readable(text: str) -> str:
    """The words of a text, without what a tracker may leave out of them."""
    return "".join(each for each in text if each >= " " and each not in "\x7f\x85\ufffd")
