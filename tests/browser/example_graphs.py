"""A graph of 300 intents and an intent with a trace of calls, beside the example data of the console's pages."""

from datetime import UTC, datetime, timedelta
from typing import Any

import requests

AGENT, OPERATOR = {"X-API-Key": "agent-research-key", "X-Agent-ID": "migrate-agent"}, {"X-API-Key": "dev-user-key"}
STEPS = ("Export the tables", "Check the export", "Import into the new cluster", "Compare the counts", "Switch the readers")


class Graphs:
    """Objects made by a server's API, by their ids."""

    def __init__(self, api: str) -> None:
        self._api = api
        self.migration = self._make_migration()
        self.trace = self._make_trace()

    def _make_migration(self) -> str:
        """The migration of 49 shops, each in five steps one after the other; the first ones are done."""
        intents: list[dict[str, Any]] = [{"ref": "root", "title": "Move all shops to the new cluster", "assign": "lead"}]
        for shop in range(49):
            intents.append({"ref": f"{shop}", "title": f"Shop {shop + 1:02}", "parent": "root", "assign": f"mover-{shop % 5}"})
            for step, title in enumerate(STEPS):
                waits = [f"{shop}.{step - 1}"] if step else []
                title = f"{title} of shop {shop + 1:02}"
                intents.append({"ref": f"{shop}.{step}", "title": title, "parent": f"{shop}", "depends_on": waits})
        intents += [{"ref": f"end.{number}", "title": f"Shut down node {number + 1}", "parent": "root"} for number in range(5)]
        created = self._send("/intents/batch", {"intents": intents})["intents"]
        for shop in range(9):
            for step in range(3 + shop % 3):
                self._complete(created[1 + shop * 6 + 1 + step]["id"])
        for shop in range(9, 20):
            self._set_status(created[1 + shop * 6 + 1]["id"], "active")
        asked = {"reason": "Three orders are in the export twice. Continue?", "options": ["Continue", "Stop"], "blocking": True}
        self._send(f"/intents/{created[1 + 12 * 6 + 1]['id']}/arbitrate", asked)
        return str(created[0]["id"])

    def _make_trace(self) -> str:
        intent = str(
            self._send("/intents", {"title": "Summarise the incident reports of November", "assign": "migrate-agent"})["id"]
        )
        began = datetime.now(UTC) - timedelta(minutes=9)
        for number, (model, seconds) in enumerate(
            [("gpt-5", 42), ("gpt-5-mini", 7), ("gpt-5-mini", 11), ("claude-sonnet-4-5", 95)]
        ):
            at = began + timedelta(seconds=110 * number)
            self._call(intent, at, seconds, request_id=f"request-{number}", model=model, provider="openai")
            self._tool(intent, at + timedelta(seconds=seconds + 3), 4 + 5 * number, f"call-{number}")
        failed = {
            "request_id": "late",
            "model": "gpt-5",
            "provider": "openai",
            "error": "429: rate limit reached",
            "duration_ms": 900,
        }
        self._log(intent, "llm_request_failed", began + timedelta(seconds=430), **failed)
        self._send(f"/intents/{intent}/leases", {"scope": "summary", "duration_seconds": 900}, AGENT)
        self._send(f"/intents/{intent}/failures", {"error_type": "rate_limit", "error_message": "429"}, AGENT)
        self._send(f"/intents/{intent}/arbitrate", {"reason": "May I name the customers?", "blocking": True}, AGENT)
        return intent

    def _call(self, intent: str, at: datetime, seconds: int, **request: str) -> None:
        ends, used = at + timedelta(seconds=seconds), {"prompt_tokens": 900 * seconds, "completion_tokens": 31 * seconds}
        self._log(intent, "llm_request_started", at, **request, messages_count=3)
        self._log(
            intent, "llm_request_completed", ends, **request, **used, total_tokens=931 * seconds, duration_ms=1000 * seconds
        )
        cost = {"cost_type": "api_call", "amount": f"{0.0021 * seconds:.4f}", "unit": "USD", "metadata": request}
        self._send(f"/intents/{intent}/costs", cost, AGENT)

    def _tool(self, intent: str, at: datetime, seconds: int, tool_id: str) -> None:
        call = {"tool_name": "reports.search", "tool_id": tool_id, "arguments": {"month": "November"}}
        self._log(intent, "tool_call_started", at, **call)
        self._log(intent, "tool_call_completed", at + timedelta(seconds=seconds), **call, duration_ms=1000 * seconds)

    def _log(self, intent: str, event_type: str, at: datetime, **payload: Any) -> None:
        body = {"event_type": event_type, "payload": {**payload, "occurred_at": at.isoformat()}}
        self._send(f"/intents/{intent}/events", body, AGENT)

    def _complete(self, intent: str) -> None:
        self._set_status(intent, "completed")

    def _set_status(self, intent: str, status: str) -> None:
        version = requests.get(f"{self._api}/intents/{intent}", headers=OPERATOR, timeout=20).json()["version"]
        self._send(f"/intents/{intent}/status", {"status": status}, {**OPERATOR, "If-Match": str(version)})

    def _send(self, path: str, body: Any, headers: dict[str, str] = OPERATOR) -> Any:
        answer = requests.post(f"{self._api}{path}", json=body, headers=headers, timeout=60)
        assert answer.ok, answer.text
        return answer.json()
