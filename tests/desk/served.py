"""The REST door of a house, over real HTTP."""

from typing import Any

import requests

from sync.serving import Server
from tests.desk.house import House


class Api:
    """What one of the people sees of it."""

    def __init__(self, address: str, token: str = "") -> None:
        self.address = f"{address}/api/v1"
        self.session = requests.Session()
        self.session.trust_env = False
        if token:
            self.session.headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, **more: Any) -> requests.Response:
        """The answer, whatever it is."""
        return self.session.request(method, f"{self.address}{path}", timeout=120, **more)

    def get(self, path: str, **params: Any) -> Any:
        """The document at this path."""
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, method: str, path: str, **more: Any) -> tuple[int, str]:
        """Status and detail of the problem document."""
        answer = self.ask(method, path, **more)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        told = answer.json()
        assert told["status"] == answer.status_code
        return answer.status_code, told["detail"]


class Served:
    """A house and its web server."""

    def __init__(self, folder: Any, *, furnished: bool = True) -> None:
        self.house = House(folder, furnished=furnished)
        self.server = Server(self.house.interdesk)
        self.server.__enter__()
        self.address = self.server.address
        self._apis: dict[str, Api] = {}

    def api(self, login: str) -> Api:
        """The door as this person comes to it; '' is nobody."""
        if login not in self._apis:
            self._apis[login] = Api(self.address, self.house.token(login) if login else "")
        return self._apis[login]

    def close(self) -> None:
        """End the server and the house."""
        for api in self._apis.values():
            api.session.close()
        self.server.__exit__(None, None, None)
        self.house.close()
