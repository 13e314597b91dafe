"""A card of the desk clerk with everything that approvers can use: quorum, edits, grants, reminders, a veto."""

from __future__ import annotations

from tests.desk import CARD

GENEROUS = CARD.replace(
    """    tier: approve
    expires: 1h
""",
    """    tier: approve
    expires: 1h
    approval:
      grants: {by: [role:approver], uses: 20, lasts: 10d}
      raise:
        - {when: args.amount > 500, need: [{of: role:approver, count: 2}], because: Over 500 two people decide.}
      remind: [20m]
""",
)
"""One approver; two over 500; standing grants of up to twenty uses and ten days."""

PROVEN = CARD.replace("    expires: 1h\n", "    expires: 1h\n    approval: {assurance: fresh}\n")
"""Whoever decides proves again that it is they."""

VETO = CARD.replace("  desk.note: {tier: auto}\n", "  desk.note: {tier: veto, veto: 10m}\n")
"""A note runs by itself unless somebody objects."""
