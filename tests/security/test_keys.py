"""Who is let in: keys by every way, keys of no use, scopes, each protocol's own refusal."""

import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.access.keys import SCOPES, ServerSecrets, hide_keys, new_key, read_key
from app.main import FREE_PATHS

BODY = {"comment": {"text": "Thank you for this careful report."}}
ANALYZE = {"comment": {"text": "Thank you."}, "requestedAttributes": {"TOXICITY": {}}}
SUGGEST = {"comment": {"text": "Thank you."}, "attributeScores": {"TOXICITY": {"summaryScore": {"value": 0}}}}
Until = Callable[[Callable[[], Any]], Any]

NEEDED = [
    ("POST", "/v1/score", "score"),
    ("POST", "/v1/score/batch", "score"),
    ("POST", "/v1/score/stream", "score"),
    ("GET", "/v1/articles/a", "score"),
    ("GET", "/v1/articles/a/summary", "score"),
    ("PUT", "/v1/articles/a", "feedback"),
    ("DELETE", "/v1/articles/a", "feedback"),
    ("POST", "/v1/feedback", "feedback"),
    ("GET", "/v1/models", "score"),
    ("GET", "/v1/models/2026.2.0", "score"),
    ("POST", "/v1/models/2026.2.0/activate", "admin"),
    ("POST", "/v1/models/rollback", "admin"),
    ("GET", "/metrics", "admin"),
    ("POST", "/v1/moderations", "score"),
    ("POST", "/v1alpha1/comments:analyze", "score"),
    ("POST", "/v1alpha1/comments:suggestscore", "feedback"),
]


@pytest.mark.parametrize(
    "sent", [{"X-API-Key": "{}"}, {"Authorization": "Bearer {}"}, {"authorization": "bEARER  {}"}]
)
def test_a_key_in_a_header_is_let_in(http: httpx.Client, keyed: Any, sent: dict[str, str]) -> None:
    headers = {name: value.format(keyed.score) for name, value in sent.items()}
    assert http.post("/v1/score", json=BODY, headers=headers).status_code == 200


def test_the_perspective_api_takes_its_own_ways(http: httpx.Client, keyed: Any) -> None:
    path = "/v1alpha1/comments:analyze"
    assert http.post(f"{path}?key={keyed.score}", json=ANALYZE).status_code == 200
    assert http.post(path, json=ANALYZE, headers={"X-Goog-Api-Key": keyed.score}).status_code == 200
    # A client's old key beside it, or a token for Google, does no harm.
    headers = {"Authorization": "Bearer ya29.a-token-of-google"}
    assert http.post(f"{path}?key={keyed.score}", json=ANALYZE, headers=headers).status_code == 200


def test_a_key_in_the_address_counts_nowhere_else(http: httpx.Client, keyed: Any) -> None:
    assert http.post(f"/v1/score?key={keyed.score}", json=BODY).status_code == 401


def test_of_no_use(http: httpx.Client, keyed: Any, until: Until) -> None:
    """Unknown, wrong, expired, revoked: refused alike, so that nobody learns which it is."""
    expired = keyed.add("score", expires=datetime.now(UTC) - timedelta(seconds=1))
    revoked = keyed.add("score")
    keyed.service.store.keys.revoke(read_key(revoked).id)  # type: ignore[union-attr]
    until(lambda: http.get("/v1/models", headers={"X-API-Key": revoked}).status_code == 401)
    wrong = keyed.score[:-1] + ("a" if keyed.score[-1] != "a" else "b")
    answers = [
        http.post("/v1/score", json=BODY, headers={"X-API-Key": key})
        for key in (str(new_key()), wrong, expired, revoked)
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Bearer realm="counterpoint"'}
    [told] = {answer.json()["detail"] for answer in answers}
    assert told == "The key is unknown, wrong, expired or revoked."
    for key in ("", "AIzaSyA-key-of-google", "cp_", "x" * 5_000, "cp_é"):
        headers = {"X-API-Key": key.encode()}
        assert http.post("/v1/score", json=BODY, headers=headers).status_code == 401  # type: ignore[arg-type]


def test_a_key_expires_while_the_service_runs(http: httpx.Client, keyed: Any, until: Until) -> None:
    headers = {"X-API-Key": keyed.add("score", expires=datetime.now(UTC) + timedelta(seconds=2))}
    until(lambda: http.get("/v1/models", headers=headers).status_code == 200)
    until(lambda: http.get("/v1/models", headers=headers).status_code == 401)


@pytest.mark.parametrize(("method", "path", "needed"), NEEDED)
def test_each_route_asks_for_its_scope(
    http: httpx.Client, keyed: Any, method: str, path: str, needed: str
) -> None:
    assert http.request(method, path).status_code == 401
    for scope in SCOPES:
        answer = http.request(method, path, headers={"X-API-Key": getattr(keyed, scope)}, content=b"")
        assert (answer.status_code == 403) == (scope != needed), (scope, answer.text)
        if scope != needed:
            assert f"lacks the scope {needed}" in answer.text


def test_no_route_is_forgotten(http: httpx.Client, keyed: Any) -> None:
    document = http.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if path in FREE_PATHS:
                assert "security" not in operation
                continue
            place = path.replace("{article_id}", "a").replace("{version}", "2026.2.0")
            assert http.request(method, place).status_code == 401, (method, path)
            assert {"401", "403"} <= operation["responses"].keys()
            [needed] = {scope for way in operation["security"] for [scope] in way.values()}
            assert (method.upper(), place, needed) in NEEDED
    for path in ("/nowhere", "/v1/score/", "//v1/score", "/integrations", "/v1/%2e%2e/livez", "/livez/x"):
        assert http.request("GET", path).status_code == 401, path


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/openapi.json", "/$discovery/rest"])
def test_what_tells_nothing_is_free(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 200


def test_webhooks_need_their_signature_and_no_key(http: httpx.Client, keyed: Any) -> None:
    assert http.post("/integrations/discourse", json={}).status_code == 503  # no secret is set here
    headers = {"X-API-Key": keyed.every}
    assert http.post("/integrations/coral/phase", json={}, headers=headers).status_code == 503


def test_google_gets_its_own_refusals(http: httpx.Client, keyed: Any) -> None:
    for path in ("/v1alpha1/comments:analyze", "/v1alpha1/comments:analyze?key=AIzaSy"):
        answer = http.post(path, json=ANALYZE)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"], error["status"]) == (401, 401, "UNAUTHENTICATED")
        assert error["details"][0]["reason"] == "API_KEY_INVALID"
        assert "www-authenticate" in answer.headers
    answer = http.post(f"/v1alpha1/comments:suggestscore?key={keyed.score}", json=SUGGEST)
    assert (answer.status_code, answer.json()["error"]["status"]) == (403, "PERMISSION_DENIED")


def test_openai_gets_its_own_refusals(http: httpx.Client, keyed: Any) -> None:
    answer = http.post("/v1/moderations", json={"input": "x"}, headers={"Authorization": "Bearer sk-x"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    headers = {"Authorization": f"Bearer {keyed.feedback}"}
    answer = http.post("/v1/moderations", json={"input": "x"}, headers=headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "invalid_request_error")


def batch_of(*calls: str) -> bytes:
    parts = [
        f"--x\r\nContent-Type: application/http\r\n\r\nPOST {call} HTTP/1.1\r\n\r\n{body}\r\n"
        for call in calls
        for body in ['{"comment":{"text":"Thanks"},"requestedAttributes":{"TOXICITY":{}}}']
    ]
    return ("".join(parts) + "--x--").encode()


def statuses_in(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200
    return [line.split()[1] for line in answer.text.splitlines() if line.startswith("HTTP/1.1")]


def test_each_call_of_a_batch_needs_a_key(http: httpx.Client, keyed: Any) -> None:
    analyze, suggest = "/v1alpha1/comments:analyze", "/v1alpha1/comments:suggestscore"
    calls = [
        f"{analyze}?key={keyed.score}",
        analyze,
        f"{analyze}?key=cp_x",
        f"{analyze}?key={keyed.feedback}",
        f"{suggest}?key={keyed.score}",
    ]
    headers = {"Content-Type": "multipart/mixed; boundary=x"}
    answer = http.post("/batch", content=batch_of(*calls), headers=headers)
    assert statuses_in(answer) == ["200", "401", "401", "403", "403"]
    # A key on the batch stands for calls without one, and lends no scope to a call that has its own.
    answer = http.post("/batch", content=batch_of(*calls), headers=headers | {"X-API-Key": keyed.score})
    assert statuses_in(answer) == ["200", "200", "200", "403", "403"]
    bad = headers | {"X-API-Key": str(new_key())}
    assert http.post("/batch", content=batch_of(*calls), headers=bad).status_code == 401


def test_a_new_key_counts_soon_and_a_revoked_one_soon_no_more(
    http: httpx.Client, keyed: Any, until: Until
) -> None:
    key = keyed.add("score")
    headers = {"X-API-Key": key}
    until(lambda: http.get("/v1/models", headers=headers).status_code == 200)
    keyed.service.store.keys.revoke(read_key(key).id)  # type: ignore[union-attr]
    until(lambda: http.get("/v1/models", headers=headers).status_code == 401)


def test_the_last_use_is_written_down_later(http: httpx.Client, keyed: Any, until: Until) -> None:
    key = keyed.add("score")

    def row() -> Any:
        [found] = [one for one in keyed.service.store.keys.all() if key.startswith(f"cp_{one.id}_")]
        return found

    assert row().last_used is None
    before = datetime.now(UTC)
    until(lambda: http.get("/v1/models", headers={"X-API-Key": key}).status_code == 200)
    assert until(lambda: row().last_used) >= before


def test_no_request_waits_for_the_database(http: httpx.Client, keyed: Any) -> None:
    """Somebody else writes for as long as it takes: keys are still checked, since nothing is written."""
    path = keyed.settings.database_url.removeprefix("sqlite:///")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        for _ in range(20):
            answer = http.post("/v1/score", json=BODY, headers={"X-API-Key": keyed.score})
            assert answer.status_code == 200
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_wrong_keys_take_the_same_way_as_unknown_ones(keyed: Any) -> None:
    """Each ends in one comparison that takes the same time whatever it compares."""

    def compared(text: str) -> int:
        calls = 0

        def look(frame: object, event: str, function: Any) -> None:
            nonlocal calls
            name = getattr(function, "__name__", "")
            calls += event == "c_call" and name == "compare_digest"

        check = keyed.service.access.keyring.check(read_key(text))
        keyed.service.access.keyring._tried_at = float("inf")  # nothing is read in between
        sys.setprofile(look)
        try:
            check.send(None)
        except Exception as error:
            assert "unknown, wrong" in str(error)  # noqa: PT017
        finally:
            sys.setprofile(None)
            keyed.service.access.keyring._tried_at = 0.0
        return calls

    wrong = keyed.score[:-1] + ("a" if keyed.score[-1] != "a" else "b")
    assert compared(wrong) == compared(str(new_key())) == 1


def test_a_digest_fits_its_key_and_secret_alone() -> None:
    secrets, key, other = ServerSecrets(["a" * 32, "b" * 32]), new_key(), new_key()
    tag = secrets.newest_tag
    digest = secrets.digest(key, tag)
    assert secrets.fits(key, tag, digest)
    assert not secrets.fits(other, tag, digest)
    assert not secrets.fits(key._replace(id=other.id), tag, digest)
    assert not ServerSecrets(["b" * 32, "a" * 32]).fits(key, ServerSecrets(["b" * 32]).newest_tag, digest)


def test_keys_are_hidden_wherever_they_stand() -> None:
    key = new_key()
    assert key.secret not in repr(key)
    for text in (str(key), f"?key={key}&x=1", f'{{"path": "/v1/{key}"}}', f"cut {str(key)[:30]}"):
        assert hide_keys(text) == text.replace(str(key), f"cp_{key.id}_...").replace(
            str(key)[:30], f"cp_{key.id}_..."
        )
    assert hide_keys("no key, and a cp_") == "no key, and a cp_"
