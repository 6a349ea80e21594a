"""Search of arbitrations by the words of their questions, and by the beginnings of their ids."""

from core.db.full_text import FullTextIndex

QUESTIONS = FullTextIndex("governance_arbitration", ["reason"])
