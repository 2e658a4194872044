"""Requests whose heads were met before, byte for byte: taken without parser and layers.

Clients that keep a connection send the same head again and again. What the parser once made of these
bytes, where they began a request and its body came along, it would make of them again.
"""

from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from gateway.http.cycle import JOINED_BYTES, Cycle, Lines
from gateway.http.express import EXPRESS, Express, Form, Met
from gateway.http.incoming import request_id_of

_END = b"\r\n\r\n"


class KnownRequests(HttpToolsProtocol):
    """A connection that knows requests again."""

    lines: Lines
    # What is being parsed, where it began a request.
    _raw: bytes | None = None

    @property
    def _express(self) -> Express | None:
        found: Express | None = self.app_state.get(EXPRESS)
        return found

    def _is_known(self, data: bytes) -> bool:
        """Whether it is a request, which is answered then or soon will be.

        To be asked only where nothing is half read and nothing is being answered.
        """
        express = self._express
        end = data.find(_END) + len(_END)
        if express is None or end < len(_END):
            return False
        met = express.met(data[:end], self.client and self.client[0])
        if met is None or len(data) - end != met.length:
            return False
        return self._is_taken(express, met.form, data[end:], met)

    def _is_alike(self, cycle: Cycle) -> bool:
        """Whether a request that was parsed is answered here, else it may be next time."""
        express = self._express
        if express is None or self.scope["method"] != "POST" or not cycle.keep_alive:
            return False
        client = self.client and self.client[0]
        key = express.key(self.url, client, self.headers)
        form = express.form(key)
        if form is None:
            cycle.learns = partial(express.learn, key)
            return False
        if (raw := self._raw) is not None:
            end = raw.find(_END) + len(_END)
            # Where they are equal, the length was told, and nothing else came along.
            if len(raw) - end == len(cycle.body) and raw[end:] == cycle.body:
                met = form.meet(self.headers, len(cycle.body))
                if met is not None:
                    express.meet(raw[:end], client, met)
        if not self._is_taken(express, form, cycle.body, cycle):
            cycle.learns = partial(express.learn, key)
            return False
        return True

    def _is_taken(self, express: Express, form: Form, body: bytes, by: Cycle | Met) -> bool:
        if self.flow.write_paused or self.access_log:
            return False
        parsed, met = (by, None) if isinstance(by, Cycle) else (None, by)
        request_id = None if parsed is None else request_id_of(cast("Any", parsed.scope))
        found = express.answer(form, body, request_id)
        if found is not None:
            if parsed is None:
                self._tell(*found)
            else:
                parsed.write(200, [], *found)
            return True
        # Of one that was parsed the door was asked before its body was read.
        if not express.takes(body) or not (parsed or express.lets_in()):
            return False
        cycle = parsed or self._cycle_of(cast("Met", met), body)
        cycle.ends_with_client = True
        work = cast("Any", partial(express.work, form, self.app))
        cycle.task = self.loop.create_task(cycle.run(work, self.tasks))
        self.tasks.add(cycle.task)
        return True

    def _cycle_of(self, met: Met, body: bytes) -> Cycle:
        client = met.scope["client"]
        told = {"server": self.server, "state": self.app_state.copy()}
        if client and self.client and client[0] == self.client[0]:
            told["client"] = self.client
        self.scope = cast("Any", {**met.scope, **told})
        self.url, self.headers = met.form.key[0], met.scope["headers"]
        self.expect_100_continue = False
        cycle = Cycle(self, self.lines, keep_alive=True)
        cycle.body, cycle.more_body = body, False
        self.cycle = cycle
        return cycle

    def _tell(self, lines: bytes, body: bytes) -> None:
        """A whole answer that no cycle is about."""
        always = self.lines.always(self.server_state.default_headers)
        head = b"%s%s%s\r\n" % (STATUS_LINE[200], always, lines)
        if len(body) > JOINED_BYTES:
            self.transport.write(head)
            self.transport.write(body)
        else:
            self.transport.write(head + body)
        self.server_state.total_requests += 1
