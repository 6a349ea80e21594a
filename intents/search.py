"""Search of intents by the words of their titles and descriptions, and by the beginnings of their ids."""

from core.db.full_text import FullTextIndex

INTENTS = FullTextIndex("intents_intent", ["title", "description"])
