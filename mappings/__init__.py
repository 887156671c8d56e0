"""The dictionary: what the words of one ticketing system mean in ours, as data, both ways."""
