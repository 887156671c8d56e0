"""Benchmarks: each measures interdesk beside the least that any program could do on the same work, in one run."""
