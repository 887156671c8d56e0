"""The oracle: the five laws of a run, judged from the trackers' own logs and the true order of all that happened.

Each judge returns sentences about what is broken, each with the law's name first; an empty list means it holds.
"""

from sync.simulation.oracle.verdict import Verdict, judge

__all__ = ["Verdict", "judge"]
