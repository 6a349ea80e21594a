"""Walks through the console by the keyboard alone. Each names its acts, as `Keyboard.done` reports them."""

from tests.browser.walks import administration, arbitrations, pages, work
from tests.browser.walks.table import WALKS, World

__all__ = ["WALKS", "World", "administration", "arbitrations", "pages", "work"]
