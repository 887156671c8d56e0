"""The mail family: helpdesks that are reached by e-mail alone."""
