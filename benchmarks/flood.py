"""A client that costs far less than who answers it: one request again and again, over many connections.

Blocks its process, so it is given one of its own: `asked(...)` starts it. Times are from the first
byte sent to the last one read, by a clock of this process.
"""

import json
import select
import socket
import subprocess
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass, field

_READ = 1 << 20


@dataclass(frozen=True)
class Plan:
    """`per_second` 0: each connection asks again as soon as it is answered."""

    host: str
    port: int
    request: str
    connections: int
    per_second: float
    seconds: float


@dataclass
class Told:
    """Milliseconds of answers 200 without errors, of 503, and of all others."""

    good: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    bad: list[float] = field(default_factory=list)
    # Turns for which no connection was free.
    unsent: int = 0
    seconds: float = 0.0


def asked(plan: Plan) -> Told:
    """What a process of its own was told."""
    command = [sys.executable, "-S", __file__]
    done = subprocess.run(
        command, input=json.dumps(asdict(plan)), capture_output=True, text=True, check=True
    )
    return Told(**json.loads(done.stdout))


class _Connection:
    __slots__ = ("begun", "got", "socket", "wanted")

    def __init__(self, host: str, port: int) -> None:
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.got = b""
        self.wanted = 0
        self.begun = 0.0

    def send(self, request: bytes) -> None:
        self.got, self.wanted, self.begun = b"", 0, time.monotonic()
        self.socket.sendall(request)

    def is_whole(self) -> bool:
        """Reads what is there; raises ConnectionError when the other side hung up."""
        data = self.socket.recv(_READ)
        if not data:
            raise ConnectionError("hung up")
        self.got += data
        if not self.wanted:
            head, end, _ = self.got.partition(b"\r\n\r\n")
            if not end:
                return False
            _, _, length = head.lower().partition(b"content-length: ")
            self.wanted = len(head) + 4 + int(length.partition(b"\r")[0])
        return len(self.got) >= self.wanted

    def note(self, told: Told) -> None:
        took = (time.monotonic() - self.begun) * 1000
        status = self.got[9:12]
        if status == b"503":
            told.refused.append(took)
        else:
            is_good = status == b"200" and b'"errors"' not in self.got
            (told.good if is_good else told.bad).append(took)


def flood(plan: Plan) -> Told:
    request, told = plan.request.encode(), Told()
    made = [_Connection(plan.host, plan.port) for _ in range(plan.connections)]
    by_number = {one.socket.fileno(): one for one in made}
    free, ready = deque(made), select.epoll()
    for number in by_number:
        ready.register(number, select.EPOLLIN)
    begun, sent = time.monotonic(), 0
    while (passed := time.monotonic() - begun) < plan.seconds or len(free) < len(made):
        if passed > plan.seconds + 10:
            break
        due = _due(plan, passed, sent, len(free))
        sent += due
        for _ in range(min(due, len(free))):
            free.popleft().send(request)
        told.unsent += max(0, due - len(made)) if plan.per_second else 0
        for number, _ in ready.poll(0.001):
            connection = by_number[number]
            if connection.is_whole():
                connection.note(told)
                free.append(connection)
    told.seconds = plan.seconds
    return told


def _due(plan: Plan, passed: float, sent: int, free: int) -> int:
    if passed >= plan.seconds:
        return 0
    return int(passed * plan.per_second) - sent if plan.per_second else free


if __name__ == "__main__":
    print(json.dumps(asdict(flood(Plan(**json.load(sys.stdin))))))
