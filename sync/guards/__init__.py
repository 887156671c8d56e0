"""What stops interdesk before it does harm: a value that goes to and fro, a partner that suddenly closes, loses or
changes far more than it usually does, and a partner's system that is a copy or was restored from a backup.

`pingpong` and `usual` decide, and are pure; `breaker`, `masschange` and `marker` ask them where it matters; `holds` is
what people say to it.
"""
