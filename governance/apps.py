"""Configuration of the app."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from core import registration
from core.errors import Invalid
from governance.errors import AlreadyVoted, ArbitrationResolved, EffectTaken


class GovernanceConfig(registration.ProtocolAppConfig):
    name = "governance"
    verbose_name = "Governance"
    rfcs = {"RFC-0004": "Arbitration and governance"}
    features = ("arbitration",)

    def ready(self) -> None:
        super().ready()
        from governance.question_fields import QuestionDefaults  # noqa: PLC0415  Models are not loaded before.

        defaults = QuestionDefaults(data=settings.QUESTIONS)
        if not defaults.is_valid():
            raise ImproperlyConfigured(f"OPENINTENT_QUESTIONS is invalid: {defaults.errors}")

    refusals = {
        "governance_decision_arbitration_id_key": ArbitrationResolved,
        "arbitration_lasts": Invalid,
        "delegation_lasts": Invalid,
        "governance_permit_arbitration_id_key": ArbitrationResolved,
        "governance_permit_decision_id_key": ArbitrationResolved,
        "one_permit_per_effect": EffectTaken,
        "one_vote_per_principal": AlreadyVoted,
    }
