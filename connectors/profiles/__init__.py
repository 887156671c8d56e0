"""One YAML file per product, and beside it the few lines of Python that data cannot say.

A profile names its quirks by a word of `QUIRKS`; nothing else can be reached from a profile.
"""

from collections.abc import Mapping

from connectors.profiled.quirks import Quirks
from connectors.profiles.rt import QUIRKS as RT

QUIRKS: Mapping[str, Quirks] = {"rt": RT}
