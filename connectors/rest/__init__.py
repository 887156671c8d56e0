"""The REST family: one engine, taught each product by a profile (`profile`), and by a few `quirks` where data ends."""
