"""A first sketch of a profile, drawn from what a product publishes of its interface: an OpenAPI document or a WSDL.

`openapi` and `services` read those into one plain description, `drawing` makes a profile of it. What is guessed is
marked so, and is the operator's to judge: `interdesk connector probe` tells what holds.
"""
