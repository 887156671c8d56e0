"""Where the truth is kept: one contract (`api`), a reference in memory, the real one on SQL."""
