"""The parts of a transaction, a port per subject. Each has a reference in `memory` and the real one in `sql`."""
