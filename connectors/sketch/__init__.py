"""A first sketch of a profile, drawn from what a product publishes of its interface: an OpenAPI document or a WSDL.

`openapi` and `services` read those into one plain description, `rest` and `soap` make a profile of it, `drawing` writes
it down. What is guessed is marked so, and is the operator's to judge: `interdesk connector probe` tells what holds.
"""
