"""TLS to a system: whose certificates are good, and sessions that spare a second handshake."""

import ssl

from upstream.config import UpstreamConfig


def tls(config: UpstreamConfig) -> ssl.SSLContext:
    """Certificates are checked, by whose authority is configured, unless configured otherwise."""
    context = ssl.create_default_context(cafile=config.ca_file)
    if not config.verify_tls:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Sessions:
    """Keeps the last session of one context, which must be used for one host only.

    Whoever takes it up again has proved who he is when it was made.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._kept: ssl.SSLSession | None = None
        sessions = self

        class Resuming(ssl.SSLObject):
            _begun = False

            def do_handshake(self) -> None:
                if not self._begun and sessions._kept is not None:
                    self.session = sessions._kept
                self._begun = True
                super().do_handshake()

        context.sslobject_class = Resuming

    def keep(self, tls: ssl.SSLObject) -> None:
        """To be called once the other side has sent something: tickets come with it."""
        if tls.session is not None and tls.session.has_ticket:
            self._kept = tls.session

    def forget(self) -> None:
        """After a failure, which may be for the session."""
        self._kept = None
