"""All findings of a case."""

from __future__ import annotations

from recsys.rules.findings.case import Case
from recsys.rules.findings.contradictions import contradictions
from recsys.rules.findings.dead import dead
from recsys.rules.findings.finding import Finding
from recsys.rules.findings.unsatisfiable import unsatisfiable


def findings(case: Case) -> tuple[Finding, ...]:
    """What is wrong with the rules: from masks of the whole catalogue, so exact but where a finding says otherwise."""
    found = (*dead(case), *contradictions(case), *unsatisfiable(case))
    return tuple(one for one in found if case.about is None or case.about in one.rules)
