"""Observations and expectations in, verdicts out; pure. A check is a row of the table and a function."""

from wherry.judge.table import CHECKS, Check, judged

__all__ = ["CHECKS", "Check", "judged"]
