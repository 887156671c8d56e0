"""The SOAP voice: how a call is said (`contract`, `envelope`), and its answer's raw XML as plain data (`raw`)."""
