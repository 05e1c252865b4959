"""What a validation found."""

from collections import Counter
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from typing import Any

from quantvista.backtest.validate._compare import Difference
from quantvista.backtest.validate._result import Fill, Result
from quantvista.backtest.validate._rules import RULES
from quantvista.backtest.validate._session import Session

__all__ = ["Finding", "Report"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A session that differs, with the rule that explains it; None if none does.

    ``session`` and ``difference`` are of the session as drawn or, where that was done, of what is
    left of it without the commands that do not matter.
    """

    session: Session
    difference: Difference
    rule: str | None

    def to_json(self) -> dict[str, Any]:
        """Write it for ``--json``."""
        orders = self.session.orders()
        named = sorted(self.difference.orders())
        return {
            "seed": self.session.seed,
            "kind": self.session.kind,
            "tags": list(self.session.tags),
            "rule": self.rule,
            "ts": self.difference.ts,
            "what": self.difference.what,
            "text": self.difference.text,
            "ours": [_plain(fill) for fill in self.difference.ours],
            "theirs": [_plain(fill) for fill in self.difference.theirs],
            "orders": [asdict(orders[number]) for number in named],
            "commands": len(self.session.commands),
        }


def _plain(fill: Fill) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, Decimal) else v for k, v in asdict(fill).items()}


@dataclass(slots=True)
class Report:
    """How far two systems agree.

    ``alike`` sessions were compared to their end without exclusion and are the same.
    """

    version: str = ""
    sessions: int = 0
    alike: int = 0
    fills: int = 0
    fills_min: int = 0
    kinds: dict[str, list[int]] = field(default_factory=dict)
    rules: dict[str, list[int]] = field(default_factory=dict)
    unexplained: list[Finding] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Sessions compared without exclusion, of all."""
        return self.alike / self.sessions if self.sessions else 0.0

    def note(self, session: Session, result: Result, finding: Finding | None) -> None:
        """Count a session."""
        self.version = result.version
        count = len(result.fills)
        self.fills_min = min(self.fills_min, count) if self.sessions else count
        self.sessions += 1
        self.fills += count
        counts = self.kinds.setdefault(session.kind, [0, 0])
        counts[1] += 1
        if finding is None:
            self.alike += 1
            counts[0] += 1
        elif finding.rule is None:
            self.unexplained.append(finding)
        else:
            self.rules.setdefault(finding.rule, []).append(session.seed)

    def to_json(self) -> dict[str, Any]:
        """Write it for ``--json``."""
        known = {rule.name: rule for rule in RULES}
        by_count = Counter({name: len(seeds) for name, seeds in self.rules.items()})
        return {
            "against": f"NautilusTrader {self.version}",
            "sessions": self.sessions,
            "alike": self.alike,
            "share": self.share,
            "fills": self.fills,
            "fills_min": self.fills_min,
            "kinds": {
                name: {"alike": alike, "sessions": count}
                for name, (alike, count) in sorted(self.kinds.items())
            },
            "rules": [
                {
                    "name": name,
                    "count": count,
                    "right": known[name].right,
                    "why": known[name].why,
                    "seeds": self.rules[name][:5],
                }
                for name, count in by_count.most_common()
            ],
            "unexplained": [finding.to_json() for finding in self.unexplained],
        }
