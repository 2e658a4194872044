"""Takes out of every text what the configuration keeps secret, whoever wrote it there."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote, quote_plus

from pydantic import BaseModel, SecretStr

from gateway.doctor.report import Examination

_SHORTEST = 4
_HIDDEN = "***"


class Secrets:
    """The secrets of one upstream's configuration, in the forms in which a system may echo them."""

    def __init__(self, config: BaseModel) -> None:
        plain = [text for text in _secrets(config) if len(text) >= _SHORTEST]
        self._forms = sorted({form for text in plain for form in _forms(text)}, key=len)[::-1]

    @property
    def forms(self) -> Sequence[str]:
        return self._forms

    def hidden(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, _HIDDEN)
        return text

    def taken_out(self, examination: Examination) -> Examination:
        findings = [
            replace(one, detail=self.hidden(one.detail), remedy=self.hidden(one.remedy))
            for one in examination.findings
        ]
        return replace(examination, findings=findings)


def _secrets(config: BaseModel) -> Iterator[str]:
    for value in dict(config).values():
        if isinstance(value, SecretStr):
            yield value.get_secret_value()
        elif isinstance(value, BaseModel):
            yield from _secrets(value)


def _forms(text: str) -> Iterable[str]:
    encoded = base64.b64encode(text.encode()).decode()
    return (text, quote(text, safe=""), quote_plus(text), encoded)
