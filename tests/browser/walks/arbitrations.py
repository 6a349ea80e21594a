"""Walks among questions, permits, gates and delegations."""

from tests.browser.keyboard import LIVE, Keyboard
from tests.browser.walks.table import World, walk


@walk(
    "governance_arbitration_decide",
    "governance_arbitration_assign",
    "governance_arbitration_information",
    "governance_arbitration_changelist withdraw",
    "key 1",
    "key r",
    "key Escape",
    "key Control+Enter",
    "key n",
)
def question(k: Keyboard, world: World) -> None:
    asked = world.ask("Ship it?", options=["Yes", "No"])
    page = f"/admin/governance/arbitration/{asked.id}/change/"
    k.open(page, is_live=True)
    k.skip()
    k.act("Assign to me")
    k.said("Assigned to you")
    assert world.operator.get_arbitration(asked.id).assignee == "user:operator"
    k.go("Assign…")
    k.choose("Person", "Nobody")
    k.act("Assign")
    k.said("assigned to nobody")
    k.go("Need more information")
    k.type("What do you need to know?", "How many?")
    k.act("Send to the agent")
    k.said("asked for more information")
    assert world.operator.get_arbitration(asked.id).information[0].question == "How many?"
    k.page.wait_for_selector(LIVE)
    k.press("1", "r")
    k.page.keyboard.type("All is green")
    k.press("Escape")
    k.send("Decide: Yes", "Control+Enter")
    decision = world.operator.get_arbitration(asked.id).decision
    assert (decision.decision, decision.rationale) == ("Yes", "All is green")

    other = world.ask("Take it back?", options=["Yes", "No"])
    k.turn("n")
    k.open(f"/admin/governance/arbitration/{other.id}/change/", is_live=True)
    k.skip()
    k.act("Withdraw")
    k.said("Withdraw this arbitration?")
    k.type("Reason", "Settled otherwise")
    k.act("Withdraw")
    k.said("Withdrawn: ")
    assert world.operator.get_arbitration(other.id).status == "withdrawn"


@walk(
    "governance_arbitration_answer",
    "governance_arbitration_changelist withdraw",
    "button oi-across",
    "key j",
    "key k",
    "key x",
    "key b",
)
def inbox(k: Keyboard, world: World) -> None:
    for number in range(51):
        world.ask(f"Ship part {number}?", options=["Ship", "Keep"], urgency="high")
    k.open("/admin/governance/arbitration/?q=Ship+part", is_live=True)
    k.press("j", "j", "k", "2", "j", "x")
    k.act("Review and confirm")
    k.said("Submit 1 decision")
    k.send("Submit 1 decision")
    k.said("Decided: ")
    [decided] = [each for each in world.operator.list_arbitrations(status="resolved") if each.reason.startswith("Ship part")]
    assert decided.decision.decision == "Keep"

    world.ask("Ship part 51?", options=["Ship", "Keep"], urgency="high")
    k.open("/admin/governance/arbitration/?q=Ship+part", is_live=True)
    k.skip()
    k.pick("Select all on this page")
    k.push("Select all 51 that match this search")
    k.press("b")
    k.act("Withdraw selected")
    k.said("Withdraw ")
    k.act("Withdraw 51")
    k.said("Withdrawn: ")
    assert not [each for each in world.operator.list_arbitrations(status="pending") if each.reason.startswith("Ship part")]


@walk("governance_permit_changelist revoke", "governance_permit_changelist record_outcome")
def permits(k: Keyboard, world: World) -> None:
    for path, button, word in (
        (world.acts.permit, "Revoke", "Revoked: "),
        (world.acts.permit_unknown, "Record outcome", "Outcome recorded: "),
    ):
        k.open(f"/admin/{path}", is_live=True)
        k.skip()
        k.act(button)
        if button == "Record outcome":
            k.pick("It was done")
        k.act(button)
        k.said(word)
    assert world.operator.get_permit(world.acts.permit.split("/")[2]).status == "revoked"


@walk("governance_gate_add", "governance_gate_changelist remove")
def gates(k: Keyboard, world: World) -> None:
    k.open("/admin/governance/gate/")
    k.skip()
    k.go("Set a gate")
    assert k.focus()["name"] == "Operation"
    k.page.keyboard.type("payments.walk")
    k.act("Set gate")
    k.open("/admin/governance/gate/?q=payments.walk", is_live=True)
    k.skip()
    k.go("payments.walk")
    k.page.wait_for_selector(LIVE)
    k.skip()
    k.act("Remove")
    k.act("Remove")
    k.said("Removed: ")
    assert "payments.walk" not in [each.verb for each in world.operator.list_gates()]


@walk("governance_delegation_add", "governance_delegation_changelist revoke")
def delegations(k: Keyboard, world: World) -> None:
    k.open("/admin/governance/delegation/", is_live=True)
    k.skip()
    k.go("Delegate")
    k.page.keyboard.type("launch-lead")
    k.act("Delegate")
    k.open("/admin/governance/delegation/", is_live=True)
    k.skip()
    k.pick("Select the delegation to launch-lead")
    k.act("Revoke selected")
    k.act("Revoke")
    k.said("Revoked: ")
    assert [each.revoked_at is None for each in world.operator.list_delegations() if each.delegate == "launch-lead"] == [False]
