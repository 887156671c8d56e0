"""After a restore, and on a copy: nothing is written until what was forgotten is found again and a person agrees."""
