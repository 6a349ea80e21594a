"""A person without a mouse: goes by Tab to what has a name, presses it, and notes where the focus cannot be seen or is lost."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from django.urls import resolve
from playwright.sync_api import Page

MOST = 250  # Presses of Tab: no control of a page is farther away.
SCROLLED = 1  # Second.
FOCUSED = 2  # Seconds: browsers move the focus to `autofocus` with a frame after the page has been loaded.
LIVE = "#oi-connection[data-state=live]"

_RECORDER = """
addEventListener("DOMContentLoaded", () => {
  const keep = (what) => {
    const kept = JSON.parse(sessionStorage.getItem("walk") ?? "[]");
    sessionStorage.setItem("walk", JSON.stringify([...kept, what]));
  };
  addEventListener("pointerdown", () => keep(["mouse"]), true);
  addEventListener("click", ({ target }) => {
    const button = target.closest("button[type=button]");
    const named = button && (button.id || [...button.attributes].find(({ name }) => name.startsWith("data-"))?.name);
    if (named) keep(["button", named]);
    const link = target.closest("a[href]");
    if (link) keep(["link", link.pathname]);
  }, true);
  addEventListener("submit", ({ target, submitter }) => {
    const path = new URL(submitter?.getAttribute("formaction") ?? target.getAttribute("action") ?? "", location.href).pathname;
    const given = new FormData(target, submitter);
    keep([target.getAttribute("method") ?? "get", path, given.get("action") ?? given.get("do") ?? ""]);
  }, true);
});
"""

_NEXT_FRAME = "new Promise(requestAnimationFrame)"

_FOCUS = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const words = (element) => {
    if (!element) return "";
    const copy = element.cloneNode(true);
    for (const each of copy.querySelectorAll("[aria-hidden=true]")) each.remove();
    return copy.textContent;
  };
  const name = at.getAttribute("aria-label") || words(document.getElementById(at.getAttribute("aria-labelledby")))
    || words(at.labels?.[0]) || words(at) || at.placeholder || "";
  const around = [at, at.nextElementSibling, at.closest("label"), at.closest(".oi-option")].filter(Boolean);
  const isRinged = around.some((each) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(each);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 1;
  });
  const shown = getComputedStyle(at).opacity === "0" || at.getBoundingClientRect().width < 2 ? at.closest("label") ?? at : at;
  const box = shown.getClientRects()[0] ?? { left: 0, top: 0, width: 0, height: 0 };
  const [x, y] = [box.left + box.width / 2, box.top + Math.min(box.height, innerHeight - box.top) / 2];
  const top = document.elementFromPoint(x, y);
  return {
    name: name.replace(/\\s+/g, " ").trim(),
    row: (at.closest("li, tr, fieldset")?.textContent ?? "").replace(/\\s+/g, " "),
    isText: at.tabIndex < 0,
    isRinged,
    isSeen: Boolean(top) && (shown.contains(top) || top.contains(shown)),
    html: at.outerHTML.slice(0, 160),
  };
}"""


class Keyboard:
    """The keys go to `page`. Acts are collected before each page is left."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.faults: list[str] = []
        self.pressed: set[str] = set()
        self._sent: list[list[str]] = []
        page.add_init_script(_RECORDER)

    def open(self, path: str, *, is_live: bool = False) -> None:
        self._collect()
        self.page.goto(path)
        if is_live:
            self.page.wait_for_selector(LIVE)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.pressed.add(key)

    def skip(self) -> None:
        """Go past the menu."""
        self.press("Tab", "Enter")

    def focus(self) -> dict[str, Any] | None:
        """Return what has the focus, and note if it cannot be seen, also once the page has scrolled there."""
        found: dict[str, Any] | None = self.page.evaluate(_FOCUS)
        end = time.monotonic() + SCROLLED
        while found and not found["isSeen"] and time.monotonic() < end:
            found = self.page.evaluate(_FOCUS)
        if found and not found["isSeen"]:
            self.faults.append(f"{self.page.url}: the focus is not in view: {found['html']}")
        if found and not found["isRinged"] and not found["isText"]:
            self.faults.append(f"{self.page.url}: the focus has no ring: {found['html']}")
        return found

    def tab_to(self, name: str, *, row: str = "", back: bool = False) -> None:
        """Press Tab until what has the focus has the name, in a row with this text."""
        passed = []
        for _ in range(MOST):
            self.press("Shift+Tab" if back else "Tab")
            found = self.focus()
            passed.append(found["name"][:40] if found else None)
            if found and re.match(rf"{re.escape(name)}(?!\w)", found["name"]) and row in found["row"]:
                return
        raise AssertionError(f"{name!r} is not reached by Tab on {self.page.url}, but: {passed[:80]}")

    def type(self, name: str, text: str, **where: Any) -> None:
        self.tab_to(name, **where)
        self.press("Control+a")
        self.page.keyboard.type(text)

    def pick(self, name: str, **where: Any) -> None:
        """Check or choose what has the name."""
        self.tab_to(name, **where)
        self.press("Space")

    def choose(self, name: str, option: str) -> None:
        """Choose an option of a list."""
        self.tab_to(name)
        self.page.keyboard.type(option)

    def push(self, name: str, **where: Any) -> None:
        """Press a button that stays on the page, which keeps the focus there."""
        self.tab_to(name, **where)
        self.press("Enter")
        self._require_focus(name)

    def open_menu(self, name: str) -> None:
        """Open a menu, which gets the focus."""
        self.push(name)
        self.page.wait_for_function("document.activeElement.closest('nav[x-show]') !== null")

    def go(self, name: str, **where: Any) -> None:
        """Follow a link to another page, which begins at its start."""
        self.tab_to(name, **where)
        self.turn("Enter")

    def elsewhere(self, page: Page, steps: Callable[[], None]) -> None:
        """Take these steps on another page."""
        here, self.page = self.page, page
        page.add_init_script(_RECORDER)
        steps()
        self._collect()
        self.page = here

    def act(self, name: str, *, key: str = "Enter", **where: Any) -> None:
        """Press what changes something, and be at a sensible place of the page that comes."""
        self.tab_to(name, **where)
        self.send(name, key)

    def send(self, name: str, key: str = "Enter") -> None:
        with self._navigation():
            self.press(key)
        self._require_focus(name)

    def turn(self, key: str) -> None:
        """Press a key that leads to another page."""
        with self._navigation():
            self.press(key)

    def said(self, text: str) -> None:
        """Check that the page says so, and that the focus is there."""
        found = self.page.evaluate("document.activeElement.textContent")
        assert text in found, (text, found, self.page.url)

    def done(self) -> set[str]:
        """Return the acts so far: by the names of their addresses and forms, and by the buttons and the keys."""
        self._collect()
        acts = {f"key {key}" for key in self.pressed}
        for kind, *about in self._sent:
            if kind == "mouse":
                self.faults.append("a mouse was used")
            elif kind in ("link", "get"):
                acts.add(f"{kind} {_route(about[0])}")
            elif kind == "button":
                acts.add(f"button {about[0]}")
            elif _route(about[0]) == "intents_intent_do":
                acts.add(f"intents_intent_do {about[0].split('/')[-2]}")
            else:
                acts.add(" ".join([_route(about[0]), about[1]]).strip())
        return acts

    @contextmanager
    def _navigation(self) -> Iterator[None]:
        self._collect()
        with self.page.expect_navigation():
            yield

    def _require_focus(self, name: str) -> None:
        end = time.monotonic() + FOCUSED
        while self.focus() is None and time.monotonic() < end:
            self.page.evaluate(_NEXT_FRAME)
        if self.focus() is None:
            self.faults.append(f"after {name!r} the focus is nowhere on {self.page.url}")

    def _collect(self) -> None:
        if self.page.url.startswith("http"):
            self._sent += json.loads(self.page.evaluate("sessionStorage.getItem('walk') ?? '[]'"))


def _route(path: str) -> str:
    return str(resolve(urlsplit(path).path).url_name)
