"""`mapping schema`: the language, for editors."""

from collections.abc import Mapping
from typing import Any

import click

from mappings import document as mapping_document
from mappings import vocabulary
from mappings.fixtures import document as fixture_document
from sync.cli.output import document

_SCHEMAS: Mapping[str, Any] = {"mapping": mapping_document, "vocabulary": vocabulary, "fixture": fixture_document}


@click.command()
@click.argument("kind", type=click.Choice(tuple(_SCHEMAS)), default="mapping")
def schema(kind: str) -> None:
    """The JSON Schema of a document, for editors."""
    document(_SCHEMAS[kind].schema())


COMMANDS = (schema,)
