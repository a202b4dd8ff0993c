"""An answer in a foreign protocol, before it is sent alone or as a part of a batch."""

from dataclasses import dataclass, field

from starlette.responses import Response

__all__ = ["MODEL_HEADER", "Reply"]

MODEL_HEADER = "X-Counterpoint-Model"
"""Response header with the version of the bundle that scored."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body and headers."""

    code: int
    content: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def to_response(self) -> Response:
        """Return it as an answer to send."""
        return Response(self.content, self.code, self.headers)
