"""A browser without scripts: it keeps cookies, follows redirects, fills in forms and presses buttons."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin

import httpx
from lxml import html

from broadcaster.accounts import codes
from tests.unit.broadcaster.web.town import BASE, PASSWORD, SECRET, Client, Town

HTML = "text/html,application/xhtml+xml"
FORM = "application/x-www-form-urlencoded"


@dataclass
class Browser:
    """One person at one browser."""

    town: Town
    cookies: dict[str, str] = field(default_factory=dict[str, str])
    path: str = "/console"
    answer: httpx.Response = field(default_factory=lambda: httpx.Response(200, text=""))

    def go(self, path: str) -> "Browser":
        """Opens a page."""
        return self._send("GET", path)

    def ask(self, method: str, path: str) -> httpx.Response:
        """One request alone: where it leads is not followed."""
        said = {
            "Accept": HTML,
            "Cookie": "; ".join(f"{name}={each}" for name, each in self.cookies.items()),
        }
        self.answer, self.path = Client(self.town.app)(method, path, headers=said), path
        self._keep()
        return self.answer

    def send(self, path: str, values: list[tuple[str, str]], **headers: str) -> "Browser":
        """Posts values as they are, as this site's own pages do."""
        said = {"Content-Type": FORM, "Origin": BASE} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return self._send("POST", path, urlencode(values), said)

    def press(self, button: str, **filled: Any) -> "Browser":
        """Fills in the form that has the button, and presses it. A list ticks boxes, or chooses several."""
        form, pressed = self._form(button)
        for name, value in filled.items():
            self._fill(form, name, value)
        values = [(name, str(value)) for name, value in form.form_values() if name]
        if pressed.get("name"):
            values.append((pressed.get("name", ""), pressed.get("value", "")))
        action = pressed.get("formaction") or form.action or self.path
        if form.method == "GET":
            return self.go(f"{action}?{urlencode(values)}")
        return self.send(urljoin(self.path, action), values)

    def sign_in(self, account: str, password: str = PASSWORD, code: str | None = None) -> "Browser":
        """Through the form."""
        given = codes.code(SECRET, self.town.now) if code is None else code
        return self.go("/console/sign-in").press(
            "Đăng nhập", account=account, password=password, code=given
        )

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def text(self) -> str:
        """What is read on the page."""
        return " ".join(self._tree().text_content().split())

    def sees(self, *words: str) -> None:
        for each in words:
            assert each in self.text, f"{each!r} is not on {self.path}: {self.text[:1500]}"

    def csrf(self) -> str:
        return str(self._tree().xpath("string(//input[@name='csrf']/@value)"))

    def _tree(self) -> Any:
        return html.fromstring(self.answer.text)

    def _form(self, button: str) -> tuple[Any, Any]:
        for pressed in self._tree().iter("button"):
            if " ".join(pressed.text_content().split()) == button:
                return next(pressed.iterancestors("form")), pressed
        raise AssertionError(f"no button {button!r} on {self.path}: {self.text[:1500]}")

    def _fill(self, form: Any, name: str, value: Any) -> None:
        inputs = form.inputs[name]
        if isinstance(value, list):
            for box in inputs if not hasattr(inputs, "tag") else [inputs]:
                box.checked = box.get("value") in value
        elif getattr(inputs, "type", "") == "checkbox":
            inputs.checked = bool(value)
        else:
            inputs.value = value

    def _send(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> "Browser":
        for _ in range(5):
            said = {"Accept": HTML, "Accept-Encoding": "gzip"} | (headers or {})
            if self.cookies:
                said["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            self.answer = Client(self.town.app)(method, path, headers=said, content=body)
            self.path = path
            self._keep()
            if self.answer.status_code != 303:
                break
            method, path, body, headers = "GET", self.answer.headers["location"], None, None
        return self

    def _keep(self) -> None:
        for each in self.answer.headers.get_list("set-cookie"):
            name, _, value = each.split(";")[0].partition("=")
            if "Max-Age=0" in each:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
