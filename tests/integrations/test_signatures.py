"""Who is let in: rightly signed requests, and nobody else."""

import hashlib
import hmac
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from app.integrations.signatures import sign, verify

Serve = Callable[..., AbstractContextManager[Any]]

# Two secrets of the fixtures, written again: test modules import nothing from one another.
SECRETS = {
    "/integrations/coral/phase": ("X-Coral-Signature", "coral-secret-of-the-tests"),
    "/integrations/coral/webhook": ("X-Coral-Signature", "coral-secret-of-the-tests"),
    "/integrations/discourse": ("X-Discourse-Event-Signature", "discourse-secret-of-the-tests"),
}
ROUTES = sorted(SECRETS)
BODY = b'{"comment": {"body": "Rosebud was his sledge"}, "ping": "OK"}'
JSON = {"Content-Type": "application/json"}


def of(body: bytes, secret: str, method: str = "sha256") -> str:
    return f"sha256={hmac.new(secret.encode(), body, method).hexdigest()}"


@pytest.mark.parametrize("route", ROUTES)
def test_unsigned_requests_are_refused(http: httpx.Client, route: str) -> None:
    response = http.post(route, content=BODY, headers=JSON)
    assert response.status_code == 403
    assert response.json()["type"].endswith(":forbidden")
    assert SECRETS[route][0] in response.json()["detail"]


@pytest.mark.parametrize("route", ROUTES)
def test_wrongly_signed_requests_are_refused(http: httpx.Client, route: str) -> None:
    header, secret = SECRETS[route]
    right = of(BODY, secret)
    wrong = {
        "another secret": of(BODY, "another-secret-than-that"),
        "another body": of(BODY + b" ", secret),
        "no scheme": right.removeprefix("sha256="),
        "another scheme": right.replace("sha256", "sha1"),
        "cut": right[:-1],
        "longer": right + "0",
        "the hash without the secret": f"sha256={hashlib.sha256(BODY).hexdigest()}",
        "another hash": of(BODY, secret, "sha512"),
        "empty": "",
        "only commas": "," * 50,
        "not ASCII": "sha256=é".encode("latin-1"),
        "an empty key": of(BODY, ""),
    }
    for what, value in wrong.items():
        response = http.post(route, content=BODY, headers=[(header.encode(), _bytes(value)), *_JSON])
        assert response.status_code == 403, what
        assert "Rosebud" not in response.text


_JSON = [(b"Content-Type", b"application/json")]


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


@pytest.mark.parametrize("route", ROUTES)
def test_without_a_secret_the_route_is_off(serve: Serve, route: str) -> None:
    header, secret = SECRETS[route]
    with serve() as running, httpx.Client(base_url=running.url, trust_env=False) as http:
        for headers in ({}, {header: of(BODY, secret)}, {header: of(BODY, "")}):
            response = http.post(route, content=BODY, headers=JSON | headers)
            assert response.status_code == 503
            assert response.json()["detail"].startswith("This integration is switched off: COUNTERPOINT_")


def test_either_side_may_rotate(http: httpx.Client) -> None:
    body = json.dumps({"comment": {"body": "Thank you for this careful report."}}).encode()
    old, new = "coral-secret-before-the-rotation", "coral-secret-of-the-tests"
    for header in (
        of(body, new),
        of(body, old),
        f"{of(body, 'a-secret-of-tomorrow')},{of(body, old)}",
        f"{of(body, old)}, {of(body, 'a-secret-of-tomorrow')}",
        f"v2=something,{of(body, new)}",
    ):
        response = http.post(
            "/integrations/coral/phase", content=body, headers=JSON | {"X-Coral-Signature": header}
        )
        assert response.status_code == 204, header


def test_the_raw_bytes_are_signed(http: httpx.Client) -> None:
    body = b'\xef\xbb\xbf {"comment" :\n {"body":"Thank you for this careful report.\\u00e9"} }\n'
    headers = JSON | {"X-Coral-Signature": of(body, "coral-secret-of-the-tests")}
    assert http.post("/integrations/coral/phase", content=body, headers=headers).status_code == 204
    reserialised = json.dumps(json.loads(body.decode("utf-8-sig"))).encode()
    assert http.post("/integrations/coral/phase", content=reserialised, headers=headers).status_code == 403


def test_a_known_vector() -> None:
    # RFC 4231, test case 2.
    secret, body = SecretStr("Jefe"), b"what do ya want for nothing?"
    expected = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert sign(body, secret) == expected
    assert verify(body, expected, [SecretStr("other"), secret])
    assert not verify(body, expected, [])
    assert not verify(body, None, [secret])


def test_a_long_list_of_signatures_is_not_read_to_its_end() -> None:
    secret, body = SecretStr("a-secret-of-some-length"), b"{}"
    assert verify(body, ",".join(["sha256=0"] * 15 + [sign(body, secret)]), [secret])
    assert not verify(body, ",".join(["sha256=0"] * 16 + [sign(body, secret)]), [secret])
