"""The command line: `interdesk`. Each file of this package holds the commands of one subject.

Exit codes, everywhere: 0 done, proven, healthy; 1 the answer is no; 2 the user's mistake; 3 a remote or a server could
not be reached; 70 a bug of ours.
"""

from sync.cli.program import main

__all__ = ["main"]
