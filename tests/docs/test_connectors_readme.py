"""The documentation of the connectors says what the code does."""

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from pydantic import BaseModel

import connectors
from connectors.mail import profile as mail_profile
from connectors.matrix import capability_matrix
from connectors.profiled import profile, vocabulary

README = (Path(connectors.__file__).parent / "README.md").read_text("utf-8")


def test_the_table_of_capabilities_is_the_generated_one() -> None:
    found = re.search(r"<!-- matrix -->\n(.*)\n<!-- /matrix -->", README, re.DOTALL)
    assert found is not None
    assert found[1].strip() == capability_matrix()


def test_every_word_of_a_profile_is_explained() -> None:
    explained = set(re.findall(r"`([a-z0-9_]+)`", README))
    powers = set(profile.Powers.model_fields)
    subjects = [import_module(f"{vocabulary.__name__}.{each.name}") for each in iter_modules(vocabulary.__path__)]
    vocabularies = [word for module in (profile, mail_profile, *subjects) for word in vars(module).values()]
    shapes = [each for each in vocabularies if isinstance(each, type) and issubclass(each, BaseModel)]
    words = {name for shape in shapes for name in shape.model_fields} - powers
    assert words - explained == set()


def test_every_module_is_named() -> None:
    folder = Path(connectors.__file__).parent
    modules = {each.name for each in folder.glob("*.py")} - {"__init__.py"}
    packages = {f"{each.parent.name}/" for each in folder.glob("*/__init__.py")}
    assert {each for each in modules | packages if f"`{each}`" not in README} == set()
