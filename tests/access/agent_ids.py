"""Names that nobody may act under, by a key (protocol §1.1)."""

TAKEN = [
    "system", "System", "ＳＹＳＴＥＭ", "ѕystem", "user:alice", "User:alice", "USER:", "ＵＳＥＲ:alice", "uѕer:alice", "user：alice",
    "us\u200ber:alice", "sys\u00adtem",
]  # fmt: skip
INVISIBLE = [
    *(f"ali{each}ce" for each in "\u200b\u200d\u202e\u2066\u00ad\ufeff\u061c\u180e\U000e0041\U0001d173\x07\x7f\x85\u0000"[:-1]),
    *(f"{space}alice" for space in " \u00a0\u2003\u3000\u1680"),
    *(f"alice{space}" for space in " \u00a0\u2009\u202f\u2028"),
]
REFUSED = [*TAKEN, *INVISIBLE]
