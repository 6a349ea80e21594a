"""The door for agents without an SDK: the Model Context Protocol at /mcp (protocol §11)."""
