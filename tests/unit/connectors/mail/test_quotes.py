"""What was quoted is cut, and nothing that was written is."""

import pytest

from connectors.mail.quotes import DIVIDER, cut

QUOTED = "> first\n>\n> second"


@pytest.mark.parametrize(
    "introduction",
    [
        "On Mon, 2 Mar 2026 at 10:00, Bob <bob@x.example> wrote:",
        "On Mon, 2 Mar 2026 at 10:00, Bob\n<bob@x.example> wrote:",
        "Am 02.03.26 um 10:00 schrieb Bob:",
        "Le lun. 2 mars 2026 à 10:00, Bob <bob@x.example> a écrit :",
        "El 2 de marzo, Bob escribió:",
        "Il giorno lun 2 mar 2026 Bob ha scritto:",
        "Dne 2. 3. 2026 v 10:00 Bob napsal(a):",
        "W dniu 2.03.2026 Bob napisał(a):",
        "2026-03-02 10:00 GMT+01:00 Bob schreef:",
        "2026. márc. 2. 10:00, Bob <bob@x.example> ezt írta:",
    ],
)
def test_an_answer_above_what_it_answers_is_all_that_stays(introduction: str) -> None:
    assert cut(f"yes, it does\n\nregards\n\n{introduction}\n\n{QUOTED}\n") == "yes, it does\n\nregards"


def test_an_answer_below_what_it_answers_is_all_that_stays() -> None:
    assert cut(f"On Monday, Bob wrote:\n{QUOTED}\n\nyes") == "yes"


@pytest.mark.parametrize(
    "history",
    [
        "-----Original Message-----\nFrom: Bob\nSubject: x\n\nold",
        "-----Ursprüngliche Nachricht-----\nalt",
        "From: Bob <bob@x.example>\nSent: Monday, 2 March 2026 10:00\nTo: Alice\nSubject: RE: jobs\n\nold",
        "________________________________\nVon: Bob\nGesendet: Montag\nAn: Alice\nBetreff: AW: jobs\n\nalt",
        "*De :* Bob\n*Envoyé :* lundi\n*Objet :* jobs\n\nvieux",
        f"On Monday, Bob wrote:\n> {DIVIDER}\n>\n> old",
        f"{DIVIDER}\n\nold",
    ],
)
def test_history_that_is_not_marked_line_by_line_is_cut(history: str) -> None:
    assert cut(f"new\n\n{history}") == "new"


@pytest.mark.parametrize(
    "text",
    [
        "> is it this?\nno\n> or that?\nyes",
        "the log says:\nFrom: broker-3\nerror 17\nand no more",
        "I quote\n> one sentence\nand go on",
        "On Tuesday I wrote:\nnothing",
        "a > b\n>= c is no quote? it is left",
        "-----\na line of dashes",
    ],
)
def test_what_may_have_been_written_stays(text: str) -> None:
    assert cut(text).startswith(text.split("\n")[0])
    assert text.split("\n")[-1] in cut(text)


def test_nothing_is_ever_all_that_is_left() -> None:
    assert cut(QUOTED) == QUOTED
    assert cut(f"On Monday, Bob wrote:\n{QUOTED}") == f"On Monday, Bob wrote:\n{QUOTED}"
    assert cut("") == ""


def test_a_signature_goes_and_a_long_tail_below_dashes_does_not() -> None:
    assert cut("hello\n\n-- \nAlice\nFar Institute") == "hello"
    tail = "\n".join(f"line {n}" for n in range(30))
    assert cut(f"hello\n--\n{tail}").endswith("line 29")


@pytest.mark.parametrize("piece", ["On ", "On x wrote:\n", "> ", ">\n", "From: \n", "-----\n", "wrote:", "\n", "-- \n"])
def test_a_text_that_is_meant_to_hurt_costs_no_more_than_its_length(piece: str) -> None:
    assert len(cut(piece * (1_000_000 // len(piece)))) <= 1_000_000
