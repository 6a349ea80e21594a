"""Acts, gates, channels and a question that was sent back, beside the example data of the console's pages."""

from typing import Any

import requests

AGENT, OPERATOR = {"X-API-Key": "agent-research-key", "X-Agent-ID": "refund-agent"}, {"X-API-Key": "dev-user-key"}
QUIET = {"from": "22:00", "until": "07:00", "time_zone": "Europe/Berlin"}


class Acts:
    """Objects made by a server's API. The members are paths below /admin/."""

    def __init__(self, api: str, intent_id: str) -> None:
        self._api, self._intent = api, f"/intents/{intent_id}"
        self.gate = f"governance/gate/{self._make_gate()}/change/"
        channel = self._make_channel()
        self.channel, self.channel_edit = f"notices/channel/{channel}/change/", f"notices/channel/{channel}/edit/"
        self.my_channel = f"my-notices/{channel}/"
        live, unknown = self._permit("order-1042"), self._permit("order-1043")
        self.permit, self.permit_unknown = f"governance/permit/{live}/change/", f"governance/permit/{unknown}/change/"
        self._send("POST", f"/permits/{unknown}/spend", {"action": _act("order-1043")}, AGENT)
        self._send("POST", f"/permits/{unknown}/outcome", {"outcome": "unknown"}, AGENT)
        self.question = f"governance/arbitration/{self._send_back()}"
        self.permit_question = f"governance/arbitration/{self._ask_for('order-1044')['id']}/change/"
        notice = self._send("GET", "/notices", None)["notices"][0]["id"]
        self.notice = f"notices/notice/{notice}/change/"

    def _make_gate(self) -> str:
        body = {"verb": "set_status", "when": {"status": "abandoned"}, "quorum": 2, "deciders": ["user:ines", "user:judy"]}
        return str(self._send("POST", "/gates", body)["id"])

    def _make_channel(self) -> str:
        """A channel of the operator who looks, with a notice that has failed."""
        target = "https://hooks.example.com/T000/B000"
        body = {"name": "Night shift", "kind": "slack", "target": target, "owner": "user:operator", "quiet_hours": QUIET}
        pk = str(self._send("POST", "/channels", body)["id"])
        self._send("POST", f"/channels/{pk}/test", {})
        for status in ("disabled", "active"):
            self._send("PATCH", f"/channels/{pk}", {"status": status})
        self._send("POST", f"/channels/{pk}/test", {})
        return pk

    def _permit(self, target: str) -> str:
        asked = self._ask_for(target)
        decision = {"arbitration_id": asked["id"], "decision": "approve", "rationale": "They were charged twice."}
        self._send("POST", f"{self._intent}/decisions", decision)
        permits = self._send("GET", f"{self._intent}/permits", None)["permits"]
        return next(str(each["id"]) for each in permits if each["arbitration_id"] == asked["id"])

    def _ask_for(self, target: str) -> Any:
        body = {"reason": f"May I refund {target}?", "action": _act(target), "blocking": False}
        return self._send("POST", f"{self._intent}/arbitrate", body, AGENT)

    def _send_back(self) -> str:
        asked = self._send("POST", f"{self._intent}/arbitrate", {"reason": "Refund those who paid by voucher, too?"}, AGENT)
        for question, answer in (("How many are they?", "31, for 2,480 EUR."), ("Do the vouchers expire?", None)):
            self._send("POST", f"/arbitrations/{asked['id']}/request-information", {"question": question})
            if answer:
                self._send("POST", f"/arbitrations/{asked['id']}/information", {"answer": answer}, AGENT)
        self._send("POST", f"/arbitrations/{asked['id']}/assign", {"assignee": "user:ines"})
        return str(asked["id"])

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str] = OPERATOR) -> Any:
        answer = requests.request(method, f"{self._api}{path}", json=body, headers=headers, timeout=20)
        assert answer.ok, answer.text
        return answer.json()


def _act(target: str) -> dict[str, Any]:
    params = {"amount": 120.5, "currency": "EUR", "lines": [{"sku": "lamp-7", "count": 2}]}
    return {"verb": "payments.refund", "target": target, "params": params, "effect_key": f"refund:{target}"}
