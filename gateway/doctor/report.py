"""What an examination found, as records that every output is made of."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from upstream.diagnosis import Finding, Outcome

Coverage = Literal["served", "empty", "unmapped"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the contract over the sampled records; `role` is the port that told them."""

    name: str
    role: str
    filled: int
    records: int
    state: Coverage


@dataclass(frozen=True, slots=True)
class Examination:
    """One upstream: its steps in their order, and what of the contract it fills."""

    upstream: str
    kind: str
    address: str
    roles: Sequence[str]
    findings: Sequence[Finding]
    coverage: Sequence[Field] = ()

    @property
    def failed(self) -> bool:
        return any(one.outcome == "failed" for one in self.findings)

    @property
    def seconds(self) -> float:
        return sum(one.seconds for one in self.findings)


@dataclass(frozen=True, slots=True)
class Report:
    at: datetime
    version: str
    examinations: Sequence[Examination]
    counts: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        outcomes = get_args(Outcome)
        found: list[str] = [one.outcome for each in self.examinations for one in each.findings]
        object.__setattr__(self, "counts", {name: found.count(name) for name in outcomes})

    @property
    def failed(self) -> bool:
        return any(one.failed for one in self.examinations)


def in_milliseconds(seconds: float) -> str:
    if seconds < 0.01:  # noqa: PLR2004
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:,.0f} ms" if seconds < 10 else f"{seconds:,.1f} s"  # noqa: PLR2004
