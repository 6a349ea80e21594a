"""Servers as processes of their own, under load and under attack. SYSTEM_ROUNDS=full asks for the long counts."""
