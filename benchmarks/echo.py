"""The service with, under /echo, the same routes answered without a model: what HTTP and JSON alone cost.

uvicorn --factory benchmarks.echo:create_app
"""

from collections.abc import Sequence
from typing import Any, get_args

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.main import create_app as create_service
from app.schemas import ScoreAnswer, ScoreRequest
from app.service import CurrentService, Service

__all__ = ["ECHO", "create_app"]

ECHO = "/echo"


def create_app() -> ASGIApp:
    """Return the service, read from the environment, with an echo of each of its routes."""
    app = create_service()
    service: Service = app.state.service
    [question] = [ScoreRequest.model_validate({"comment": {"text": "Well said, thank you."}})]
    echo = _Echo(service, service.shelf.scorer.score([question])[0])

    def choose(request: Request) -> object:
        return echo if request.scope.get(ECHO) else service

    app.dependency_overrides[get_args(CurrentService)[1].dependency] = choose
    return _Prefixed(app)


class _Echo:
    """Answers every comment the same, but for its id; its requests are read and its answers written anew."""

    def __init__(self, service: Service, answer: ScoreAnswer) -> None:
        self._service, self._answer = service, answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)

    async def answer(self, request: ScoreRequest, **_: object) -> ScoreAnswer:
        return self._answer.model_copy(update={"id": request.comment.id})

    async def answer_many(self, requests: Sequence[ScoreRequest], **_: object) -> list[ScoreAnswer]:
        return [await self.answer(request) for request in requests]


class _Prefixed:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if path.startswith(f"{ECHO}/"):
            scope = {**scope, "path": path.removeprefix(ECHO), ECHO: True}
        await self._app(scope, receive, send)
