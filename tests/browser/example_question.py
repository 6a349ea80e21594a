"""A question with markup, a diff, links, files and hidden characters, for the pictures of its page."""

from base64 import b64encode

import requests

TITLE = "Checkout fails for one in twenty customers in eu-west"
REASON = """Merge the fix for the `eu-west` prices?

The **error rate** is 4 % since [release 212](https://example.com/releases/212). The cause is one line, see
https://example.com/pr/1042:

```diff
--- a/prices.py
+++ b/prices.py
@@ -1,3 +1,3 @@
 def price(order):
-    return rules[order.region]
+    return rules.get(order.region, rules["default"])
```

> Nobody else was changing prices. (release notes)

1. Merge
2. Watch for *ten* minutes"""

PATCH = REASON.split("```")[1].removeprefix("diff\n")
CONTEXT = {
    "failing test": "Traceback (most recent call last):\n  File \"prices.py\", line 2, in price\nKeyError: 'eu-west'",
    "patch": "The whole of it is in prices.patch",
    "file": "invoice_\u202efdp.exe",
    "change": "https://example.com/pr/1042",
    "plan": "1. Merge it\n2. Watch the **error rate** for ten minutes",
    "trace": "span " * 400,
}
OPTIONS = [
    {
        "label": "Merge",
        "rationale": "Fixes the cause. [Review](https://example.com/pr/1042#review)\n\n- tests pass\n- `ada` approved",
    },
    {"label": "Roll back", "rationale": "Safe, but loses the new prices."},
]


def ask_with_markup(api: str, intent: str, headers: dict[str, str]) -> str:
    """Attach a file to the intent, ask the question, and return its id."""

    def send(path: str, body: dict[str, object]) -> str:
        made = requests.post(f"{api}/intents/{intent}/{path}", json=body, headers=headers, timeout=20)
        assert made.ok, made.text
        return str(made.json()["id"])

    content = b64encode(PATCH.encode()).decode()
    send("attachments", {"filename": "prices.patch", "content_type": "text/plain", "content_base64": content})
    return send("arbitrate", {"reason": REASON, "context": CONTEXT, "options": OPTIONS, "blocking": False})
