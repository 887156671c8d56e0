"""The REST door: `/api/v1`, one router per noun, described by `/openapi.json`."""

from central.desk.rest.api import create_api
from central.desk.rest.desks import Desks
from central.desk.rest.problems import document as problem

__all__ = ["Desks", "create_api", "problem"]
