"""Who may share an answer: everything it depends on beside its key, decided here and nowhere else."""

from ports.caller import Call
from ports.operation import Operation


class Scopes:
    """The scopes of one operation of one upstream."""

    def __init__(self, upstream: str, name: str, operation: Operation) -> None:
        self._start = _told(upstream) + _told(name)
        self._varies_on = operation.varies_on

    def of(self, call: Call) -> str:
        """Two calls with equal scopes may be given each other's answers.

        What the port does not declare to be shared is the caller's own. A call that wants only some
        fields of records shares with calls that want the same ones, since records may lack the
        others.
        """
        caller, scope = call.caller, self._start
        for varying in self._varies_on:
            if varying == "language":
                scope += _told(call.language)
            elif varying == "customer":
                scope += _told(caller.customer)
            else:
                scope += _told(caller.kind.value) + _told(caller.subject) + _told(caller.customer)
        if call.wanted is not None:
            scope += "".join(map(_told, sorted(call.wanted)))
        return scope


def _told(part: str | None) -> str:
    """Lengths keep two parts from passing for one."""
    return "-" if part is None else f"{len(part)}:{part}"
