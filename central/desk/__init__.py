"""The doors: how people and machines reach our tickets. What they need of the rest is declared in `services`."""
