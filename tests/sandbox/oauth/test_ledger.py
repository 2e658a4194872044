"""The ledger forgets what has expired, and nothing else."""

from sandbox.oauth.clients import clients
from sandbox.oauth.ledger import Code, Grant, Ledger, Token
from sandbox.world import World
from tests.sandbox.oauth.conftest import BACK, CHALLENGE


def test_what_has_expired_is_forgotten_in_time(world: World) -> None:
    now = [0.0]
    ledger = Ledger(lambda: now[0])
    client = clients(world)["ide"]
    kept = Grant(client, None, "orders:read", "passerelle", authenticated_at=0)
    gone = Grant(client, None, "orders:read", "passerelle", authenticated_at=0)
    ledger.add(Token("kept", kept, kept.scope, 3_600, ledger.clock, {}))
    ledger.add(Token("gone", gone, gone.scope, 60, ledger.clock, {}))
    ledger.add(Code("gone", gone, BACK, CHALLENGE, None, 60))
    now[0] = 61
    for number in range(1_000):
        ledger.add(Token(str(number), kept, kept.scope, 3_600, ledger.clock, {}))
    assert ledger.code("gone") is None
    assert ledger.token("gone") is None
    found = ledger.token("kept")
    assert found is not None
    assert found.live
    ledger.end(gone.id)
    assert found.live
    ledger.end(kept.id)
    assert not found.live
