"""One request of a peer that the engine has not answered yet."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from wigwag.server.core import Answer, Dropped, Failed
from wigwag.wire import DRAFT, ERRORS, MESSAGES, ErrorCode, MessageInfo, Received

if TYPE_CHECKING:
    from wigwag.server._session import Session

# What a request costs in memory beside its body: event, record, request, frames.
REQUEST_OVERHEAD_BYTES = 512
# Answers larger than this are paid for when the request is taken, so that the few
# bytes of a look-up can't make the server hold megabytes of answers.
ANSWER_BYTES_FREE = 8_192


def _answer_bytes(request: MessageInfo) -> int:
    """Returns what the largest answer to a request takes, 0 for an ordinary one."""
    largest = max(
        (MESSAGES[reply].layouts[DRAFT].body_bytes_max for reply in request.replies),
        default=0,
    )
    return largest if largest > ANSWER_BYTES_FREE else 0


_ANSWER_BYTES = {
    info.type: _answer_bytes(info)
    for info in MESSAGES.values()
    if info.kind == "request" and _answer_bytes(info)
}
"""By request type: bundles, device lists, receipts."""


class Pending:
    """The `answer` that the engine calls: releases what was held, then passes it on.

    The engine serves everybody, so nothing may be raised into it: what goes wrong
    here ends this request's session alone.
    """

    __slots__ = ("_on_answer", "corr", "session", "size", "taken_at", "type")

    def __init__(
        self,
        session: "Session",
        event: Received,
        on_answer: "Callable[[Pending, Answer], None]",
    ) -> None:
        self.session = session
        self.corr = event.corr
        self.type = event.type
        self.size = (
            len(event.body) + REQUEST_OVERHEAD_BYTES + _ANSWER_BYTES.get(event.type, 0)
        )
        self.taken_at = session.now
        self._on_answer = on_answer

    def __call__(self, answer: Answer) -> None:
        session = self.session
        session.release(self.size)
        if session.is_over:
            return
        try:
            self._on_answer(self, answer)
        except Exception as error:
            session.crash(error)

    def refuse(self, code: ErrorCode, retry_after_ms: int = 0) -> None:
        """Answer with an ERROR, outcome none."""
        self.session.refuse(self.corr, self.type, code, retry_after_ms)

    def otherwise(self, answer: Answer) -> None:
        """Handle what every request may be answered: a refusal, or silence."""
        match answer:
            case Failed(code):
                error = ErrorCode[code.value]
                if ERRORS[error].scope == "connection":
                    self.session.close_with(error)
                else:
                    self.refuse(error)
            case Dropped():
                # Of a displaced connection or an old registration: nobody listens.
                return
            case _:
                raise AssertionError(
                    f"{type(answer).__name__} answers no request of type {self.type}"
                )
