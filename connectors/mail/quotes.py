"""What the author of an answer wrote, without what they answer to. Pure, in linear time: each line is looked at once.

Where it is not plain that a text is only quoted (answers between the lines, a log that looks like a header), it stays:
a repeated sentence is a nuisance, a lost one is a loss.
"""

import re

DIVIDER = "-- please write above this line --"
"""Stands in our mails; whatever an answer holds from there on is what we wrote."""

_LONGEST = 400
"""Characters of a line that may introduce a quote."""
_WROTE = re.compile(
    r"\b(wrote|writes|schrieb|schreibt|a écrit|escribió|ha scritto|scrisse|schreef|escreveu|napsal\(?a?\)?"
    r"|napisał\(?a?\)?|skrev|kirjoitti|написал\(?а?\)?)(?!\w)",
    re.IGNORECASE,
)
_BEGINS = re.compile(r"(on|am|le|el|il|op|em|dne|w dniu|den|\d{1,4}[./-]\d{1,2})\b", re.IGNORECASE)
_ORIGINAL = re.compile(
    r"[-_]{3,}\s*(original message|ursprüngliche nachricht|original-nachricht|message d'origine|mensaje original"
    r"|messaggio originale|oorspronkelijk bericht|forwarded message|weitergeleitete nachricht)\s*[-_]{3,}",
    re.IGNORECASE,
)
_FROM = re.compile(r"\*?(from|von|de|da|van|od)\s?:\*? ", re.IGNORECASE)
_SENT = re.compile(
    r"\*?(sent|date|gesendet|datum|envoyé|enviado|inviato|data|verzonden|odesláno)\s?:\*? ", re.IGNORECASE
)
_SUBJECT = re.compile(r"\*?(subject|betreff|objet|asunto|oggetto|onderwerp|předmět|temat)\s?:\*? ", re.IGNORECASE)


def cut(text: str) -> str:
    """The text without quoted history and signature; the whole text where nothing would be left."""
    lines = text.split("\n")
    kept = _without_signature(_without_quote(lines[: _end(lines)]))
    said = "\n".join(kept).strip("\n").rstrip()
    return said if said.strip() else text.strip("\n").rstrip()


def _end(lines: list[str]) -> int:
    """Where history begins that is not marked line by line."""
    for number, line in enumerate(lines):
        bare = line.strip(" >\t")
        if len(bare) > _LONGEST:
            continue
        if bare == DIVIDER:
            return _before_attribution(lines, number)
        if _ORIGINAL.fullmatch(bare):
            return number
        if _FROM.match(bare) and not line.lstrip().startswith(">") and _is_header(lines[number + 1 : number + 7]):
            return number - 1 if number and set(lines[number - 1].strip()) in ({"_"}, {"-"}) else number
    return len(lines)


def _is_header(lines: list[str]) -> bool:
    """Whether these go on as the header that a mail program puts above what is answered."""
    short = [line.strip() for line in lines if len(line) <= _LONGEST]
    return any(_SENT.match(line) for line in short) and any(_SUBJECT.match(line) for line in short)


def _before_attribution(lines: list[str], number: int) -> int:
    """From the divider back over "On … wrote:", where it stands right above."""
    at = number
    while at and not lines[at - 1].strip(" >\t"):
        at -= 1
    return _attribution(lines, at)


def _attribution(lines: list[str], end: int) -> int:
    """Where the words begin that introduce a quote which begins at `end`; `end` where there are none."""
    at = end
    while at and not lines[at - 1].strip():
        at -= 1
    for size in (1, 2, 3):
        said = " ".join(line.strip() for line in lines[max(0, at - size) : at])
        if at >= size and len(said) <= _LONGEST and _introduces(said):
            return at - size
    return end


def _introduces(said: str) -> bool:
    """Whether these words introduce a quote; in a language that we do not know, by the address and the date in them."""
    if not said.endswith(":"):
        return False
    ours = _WROTE.search(said) is not None and _BEGINS.match(said) is not None
    return ours or ("@" in said and any(each.isdigit() for each in said))


def _without_quote(lines: list[str]) -> list[str]:
    """One quoted block, above or below what was written, goes; answers between the lines stay with what they answer."""
    quoted = [number for number, line in enumerate(lines) if line.lstrip().startswith(">")]
    if not quoted:
        begin = _attribution(lines, len(lines))
        return lines[:begin]
    first, last = quoted[0], quoted[-1]
    if any(lines[n].strip() and not lines[n].lstrip().startswith(">") for n in range(first, last)):
        return lines
    begin = _attribution(lines, first)
    if begin == first:
        return lines  # nothing says that it is more than lines that begin so
    return lines[:begin] + lines[last + 1 :]


def _without_signature(lines: list[str]) -> list[str]:
    for number, line in enumerate(lines):
        if line in ("-- ", "--") and len(lines) - number <= 15:
            return lines[:number]
    return lines
