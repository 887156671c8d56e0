"""The conversation: the only package that knows the other three (`central`, `connectors`, `mappings`)."""
