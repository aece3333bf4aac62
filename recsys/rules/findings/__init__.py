"""What is wrong with rules: dead ones, such as contradict each other, and such as ask for what cannot be had."""

from recsys.rules.findings.below_share import below_share
from recsys.rules.findings.case import Case
from recsys.rules.findings.collect import findings
from recsys.rules.findings.finding import Finding, Problem

__all__ = ["Case", "Finding", "Problem", "below_share", "findings"]
