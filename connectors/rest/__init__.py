"""The REST family: how a profile's requests are said over plain HTTP. All else is the engine's, in `profiled`."""
