"""The whole mesh in one process: the real engine, a virtual clock, trackers that misbehave, the five laws."""
