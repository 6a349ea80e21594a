"""The admin: its theme, and pages that span apps."""
