"""Who may share an answer: everything it depends on beside its key, decided here and nowhere else."""

from ports.caller import Call
from ports.operation import Operation


def scope(upstream: str, name: str, operation: Operation, call: Call) -> str:
    """Two calls with equal scopes may be given each other's answers.

    What the port does not declare to be shared is the caller's own. A call that wants only some
    fields of records shares with calls that want the same ones, since records may lack the others.
    """
    caller = call.caller
    parts: list[str | None] = [upstream, name]
    for varying in operation.varies_on:
        match varying:
            case "language":
                parts.append(call.language)
            case "customer":
                parts.append(caller.customer)
            case "caller":
                parts += (caller.kind.value, caller.subject, caller.customer)
    if call.wanted is not None:
        parts += sorted(call.wanted)
    # Lengths keep two parts from passing for one.
    return "".join("-" if part is None else f"{len(part)}:{part}" for part in parts)
