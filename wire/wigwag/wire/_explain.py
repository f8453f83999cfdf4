"""What is wrong with a malformed body, in words, for the log.

The fast codec says code and offset; the same bytes go through the reference codec of
`wigwag.spec`, which also knows the field, what was expected and the requirement. That
is slow (tens of microseconds and more), so it is rationed over all connections, and
imported when it is needed for the first time.
"""

from typing import Final

EXPLANATIONS_PER_SECOND: Final = 1.0
"""A healthy server sees none; under attack one a second tells as much as a thousand."""

EXPLANATIONS_BURST: Final = 10
"""A faulty client's first mistakes are all worth reading."""


class Explainer:
    """Explains malformed bodies, a few at a time; `ConnectionConfig.explain` takes it.

    Args:
        per_second: Sustained rate.
        burst: How many at once.

    Attributes:
        disagreements: Bodies that the fast codec refused and the reference took. It
            must stay 0: anything else is a bug in one of the two.
        rationed: Bodies that were not explained because too many came.
    """

    def __init__(
        self,
        per_second: float = EXPLANATIONS_PER_SECOND,
        burst: int = EXPLANATIONS_BURST,
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._tokens = float(burst)
        self._tokens_at = 0.0
        self.disagreements = 0
        self.rationed = 0

    def __call__(
        self, type_: int, revision: int, body: bytes, now: float
    ) -> str | None:
        """Explains a body that the fast codec found malformed.

        Args:
            type_: Message type.
            revision: As negotiated; 0 before.
            body: As it came.
            now: Seconds.

        Returns:
            One or more lines, without input bytes if the message has sensitive
            fields; None if the ration is used up or the two codecs disagree.
        """
        earned = max(0.0, now - self._tokens_at) * self._per_second
        self._tokens = min(self._tokens + earned, self._burst)
        self._tokens_at = now
        if self._tokens < 1.0:
            self.rationed += 1
            return None
        self._tokens -= 1.0
        # Here and not above: loading the specification takes a while, and most
        # processes never need it.
        from wigwag.spec import explain_error

        explanation = explain_error(type_, revision, body)
        if explanation is None:
            self.disagreements += 1
            return None
        if not explanation.annotated:
            return str(explanation)
        return f"{explanation}\n{explanation.annotated}"
