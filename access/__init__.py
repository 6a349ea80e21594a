"""Who is calling: API keys, their roles, and the agents they speak for (protocol §1.1)."""
