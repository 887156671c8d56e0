"""How the outside is read and written: one contract (`api`), one error per remedy (`errors`), many trackers."""
