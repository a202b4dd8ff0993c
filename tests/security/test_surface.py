"""What an answer tells browsers, and what a request cannot smuggle in."""

import gzip
import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from tests.support.memory import peak_bytes

BODY = {"comment": {"text": "Thank you for this careful report."}}
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cache-control": "no-store",
}
MOST_MEMORY_MB = 560


def raw(url: str, request: bytes) -> bytes:
    place = httpx.URL(url)
    with socket.create_connection((place.host, place.port), timeout=60) as connection:
        connection.sendall(request)
        answer = b""
        while more := connection.recv(65_536):
            answer += more
        return answer


def test_every_answer_has_the_security_headers(http: httpx.Client, keyed: Any) -> None:
    key = {"X-API-Key": keyed.every}
    answers = [
        http.post("/v1/score", json=BODY, headers=key),
        http.post("/v1/score/stream", content=json.dumps(BODY).encode() + b"\n", headers=key),
        http.post("/v1alpha1/comments:analyze", json={}, headers=key),
        http.post("/v1/score", json=BODY),
        http.get("/nowhere", headers=key),
        http.get("/openapi.json"),
        http.get("/metrics", headers=key),
        http.get("/livez"),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 400, 401, 404, 200, 200, 200]
    for answer in answers:
        assert HEADERS.items() <= answer.headers.items(), answer.request.url
        assert "access-control-allow-origin" not in answer.headers


def test_browsers_are_let_in_from_named_origins_alone(keyed_settings: Any, serve: Any, make_key: Any) -> None:
    settings = keyed_settings(cors_origins=["https://news.example"])
    key = make_key(settings, "score")
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    with serve(**settings.model_dump()) as running:

        def preflight(origin: str) -> httpx.Response:
            headers = asked | {"Origin": origin}
            return httpx.options(f"{running.url}/v1/score", headers=headers, trust_env=False)

        allowed = preflight("https://news.example")
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == "https://news.example"
        assert "access-control-allow-credentials" not in allowed.headers
        for origin in ("https://evil.example", "https://news.example.evil.example", "null"):
            assert "access-control-allow-origin" not in preflight(origin).headers
        headers = {"X-API-Key": key, "Origin": "https://news.example"}
        answer = httpx.post(f"{running.url}/v1/score", json=BODY, headers=headers, trust_env=False)
        assert answer.headers["access-control-allow-origin"] == "https://news.example"
        refused = httpx.post(f"{running.url}/v1/score", json=BODY, headers={"Origin": "https://news.example"})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (
            401,
            "https://news.example",
        )


@pytest.mark.parametrize("origin", ["*", "news.example", "https://news.example/", "null"])
def test_what_is_no_origin_is_refused(keyed_settings: Any, origin: str) -> None:
    with pytest.raises(ValueError, match="cors_origins"):
        keyed_settings(cors_origins=[origin])


@pytest.mark.parametrize(
    "given", ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a%0d%0aX-Evil: 1", "a\x00b", "x" * 129, "é"]
)
def test_a_request_id_adds_no_header(keyed: Any, given: str) -> None:
    request = f"GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-ID: {given}\r\nConnection: close\r\n\r\n"
    answer = raw(keyed.url, request.encode())
    head, _, _ = answer.partition(b"\r\n\r\n")
    assert not any(line.lower().startswith(b"x-evil") for line in head.split(b"\r\n"))
    if b" 200 " in head:
        [told] = [line for line in head.lower().split(b"\r\n") if line.startswith(b"x-request-id:")]
        assert told.split(b": ")[1].isalnum()


def test_ids_add_no_header_and_leave_no_folder(http: httpx.Client, keyed: Any) -> None:
    key = {"X-API-Key": keyed.every}
    for article in ("a%0d%0aX-Evil:%201", "a%0aX-Evil:%201", "a%00"):
        refused = http.put(f"/v1/articles/{article}", json={"premise": "Ban cars"}, headers=key)
        assert refused.status_code in {404, 422}
        assert "x-evil" not in refused.headers
    # To the store an id is a text like any other.
    odd = "/v1/articles/..%2F..%2Fetc%2Fpasswd"
    assert http.put(odd, json={"premise": "Ban cars"}, headers=key).status_code == 201
    assert http.get(odd, headers=key).json()["id"] == "../../etc/passwd"
    call = b"POST /v1alpha1/comments:analyze HTTP/1.1\r\n\r\n{}"
    batch = b"--x\r\nContent-ID: <a\rX-Evil: 1>\r\n\r\n" + call + b"\r\n--x--"
    headers = key | {"Content-Type": "multipart/mixed; boundary=x"}
    answer = http.post("/batch", content=batch, headers=headers)
    assert answer.status_code == 200
    assert not any(line.startswith(b"X-Evil") for line in answer.content.replace(b"\r", b"\n").split(b"\n"))


@pytest.mark.parametrize(
    "version",
    ["..%2F..%2Fetc", "%2e%2e%2f2026.2.0", "..%2Freleases%2F2026.2.0", "%00", "2026.2.0%2F..", "~root"],
)
def test_a_version_is_a_name_and_no_path(http: httpx.Client, keyed: Any, version: str) -> None:
    key = {"X-API-Key": keyed.every}
    assert http.get(f"/v1/models/{version}", headers=key).status_code == 404
    assert http.post(f"/v1/models/{version}/activate", headers=key).status_code == 404
    score = http.post("/v1/score", json=BODY, headers=key)
    assert score.json()["model"] == "2026.2.0"


def test_a_pickle_swapped_in_is_never_read(
    keyed_settings: Callable[..., Any], serve: Any, make_key: Any, releases: Path, tmp_path: Path
) -> None:
    """One that would run a command lies where a model should; its digest is not the manifest's."""
    folder, proof = Path(shutil.copytree(releases, tmp_path / "releases")), tmp_path / "proof"
    settings = keyed_settings(releases=folder)
    key = {"X-API-Key": make_key(settings, "score", "admin")}
    with serve(**settings.model_dump()) as running:
        evil = b"cposix\nsystem\n(Vtouch " + str(proof).encode() + b"\ntR."
        for name in ("civility.joblib", "stance.joblib"):
            (folder / "2026.1.0" / name).write_bytes(evil)
        answer = httpx.post(f"{running.url}/v1/models/2026.1.0/activate", headers=key, trust_env=False)
        assert answer.status_code == 409
        score = httpx.post(f"{running.url}/v1/score", json=BODY, headers=key, trust_env=False)
        assert (score.status_code, score.json()["model"]) == (200, "2026.2.0")
    assert not proof.exists()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "identity, gzip", "GZIP"])
def test_compressed_bodies_are_not_unpacked(http: httpx.Client, keyed: Any, coding: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    for path in ("/v1/score", "/v1/score/stream", "/v1/moderations", "/v1alpha1/comments:analyze"):
        headers = {"X-API-Key": keyed.every, "Content-Encoding": coding, "Content-Type": "application/json"}
        answer = http.post(path, content=bomb, headers=headers)
        assert answer.status_code == (415 if path.startswith("/v1/score") else 400)
        assert answer.headers["accept-encoding"] == "identity"
    headers = {"X-API-Key": keyed.every, "Content-Encoding": "identity"}
    assert http.post("/v1/score", json=BODY, headers=headers).status_code == 200


@pytest.mark.parametrize("suffix", ["gz", "zst"])
def test_an_archive_that_unpacks_to_more_than_memory_may_hold_is_read_in_pieces(
    tmp_path: Path, bundle_path: Path, suffix: str
) -> None:
    if suffix == "gz":
        pack: Callable[[bytes], bytes] = gzip.compress
    else:
        pack = zstandard.compress
    good = [json.dumps({"id": name, "text": "Thank you."}).encode() for name in ("first", "last")]
    bomb = tmp_path / f"bomb.jsonl.{suffix}"
    # Members one after the other, and in them one line of 400 MB between two good ones.
    bomb.write_bytes(pack(good[0] + b"\n") + pack(b"x" * 4_000_000) * 100 + pack(b"\n" + good[1] + b"\n"))
    output = tmp_path / "out.jsonl"
    command = ["rescore", str(bomb), "--output", str(output), "--bundle", str(bundle_path)]
    peak = peak_bytes([*command, "--encoder-share", "0"], tmp_path)
    assert peak < MOST_MEMORY_MB * 1_024 * 1_024
    assert output.exists()
    told = output.read_text()
    assert '"first"' in told
    assert '"last"' in told
