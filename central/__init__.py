"""The helpdesk in the middle: our tickets, the links to theirs, and everyone who reaches them."""
