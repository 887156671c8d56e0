"""The words of a profile, by subject; `profiled.profile` puts them together, `connectors/README.md` explains each."""
