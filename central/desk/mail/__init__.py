"""The mail door: tickets by mail, answers by reply, and what people are told by mail."""
