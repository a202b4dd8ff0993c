"""Signed bundles: by our command and by openssl; what is unsigned or altered is refused."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.errors import SettingsError
from app.settings import load_settings
from models import load_bundle, verify_bundle
from models.errors import BundleError, SignatureError, SigningKeyError
from models.signing import SIGNATURE, make_key, public_key_of, sign_bundle

OLD, NEW = "2026.1.0", "2026.2.0"


def test_the_commands_from_key_to_trust(invoke: Callable[..., Any], folder: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    public = invoke("models", "keygen", "--output", str(key)).stdout.strip()
    assert key.stat().st_mode & 0o077 == 0
    with pytest.raises(SigningKeyError, match="File exists"):
        invoke("models", "keygen", "--output", str(key))
    trusted = {"COUNTERPOINT_TRUSTED_KEYS": json.dumps([public])}
    with pytest.raises(SignatureError, match="is not signed"):
        invoke("models", "activate", OLD, **trusted)
    before = {path.name: path.read_bytes() for path in (folder / OLD).iterdir()}
    invoke("models", "sign", OLD, "--key", str(key))
    after = {path.name: path.read_bytes() for path in (folder / OLD).iterdir()}
    assert after == before | {SIGNATURE: after[SIGNATURE]}
    invoke("models", "activate", OLD, **trusted)
    listed = {one["version"]: one for one in json.loads(invoke("models", "list", "--json", **trusted).stdout)}
    assert (listed[OLD]["active"], listed[OLD]["problem"]) == (True, None)
    assert "is not signed" in listed[NEW]["problem"]
    with pytest.raises(SignatureError):
        invoke("score", "Well said.", "--bundle", str(folder / NEW), **trusted)


def test_openssl_signs_and_checks(folder: Path, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    key, public = tmp_path / "key.pem", tmp_path / "public.pem"
    manifest, signature = folder / OLD / "manifest.json", folder / OLD / SIGNATURE

    def call(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], check=True, capture_output=True)

    call("genpkey", "-algorithm", "ed25519", "-out", str(key))
    call("pkey", "-in", str(key), "-pubout", "-out", str(public))
    call("pkeyutl", "-sign", "-inkey", str(key), "-rawin", "-in", str(manifest), "-out", str(signature))
    [middle] = public.read_text().splitlines()[1:-1]
    assert middle == public_key_of(key.read_bytes())
    assert load_bundle(folder / OLD, [middle]).version == OLD
    sign_bundle(folder / OLD, key.read_bytes(), renew=True)
    check = ("-verify", "-pubin", "-inkey", str(public), "-rawin", "-in", str(manifest))
    call("pkeyutl", *check, "-sigfile", str(signature))


def test_what_no_trusted_key_has_signed_is_refused(folder: Path) -> None:
    ours, theirs = make_key(), make_key()
    trusted = [public_key_of(make_key()), public_key_of(ours)]
    bundle = folder / OLD
    with pytest.raises(SignatureError, match="not signed"):
        load_bundle(bundle, trusted)
    sign_bundle(bundle, theirs)
    with pytest.raises(SignatureError, match="not by a trusted key"):
        load_bundle(bundle, trusted)
    with pytest.raises(SignatureError, match="signed already"):
        sign_bundle(bundle, ours)
    sign_bundle(bundle, ours, renew=True)
    assert verify_bundle(bundle, trusted).version == OLD
    good = (bundle / SIGNATURE).read_bytes()
    for bad in (b"", good[:-1], good + b"\0", bytes(64)):
        (bundle / SIGNATURE).write_bytes(bad)
        with pytest.raises(SignatureError):
            verify_bundle(bundle, trusted)
    shutil.copy(bundle / SIGNATURE, folder / NEW / SIGNATURE)
    with pytest.raises(SignatureError):
        verify_bundle(folder / NEW, trusted)
    (bundle / SIGNATURE).write_bytes(good)
    manifest = bundle / "manifest.json"
    manifest.write_bytes(manifest.read_bytes() + b"\n")
    assert verify_bundle(bundle).version == OLD
    with pytest.raises(SignatureError):
        verify_bundle(bundle, trusted)


def test_a_link_is_no_signature(folder: Path, tmp_path: Path) -> None:
    key = make_key()
    signature = sign_bundle(folder / OLD, key)
    signature.rename(tmp_path / SIGNATURE)
    signature.symlink_to(tmp_path / SIGNATURE)
    with pytest.raises(BundleError):
        verify_bundle(folder / OLD, [public_key_of(key)])


@pytest.mark.parametrize("value", ["[]", '["AAAA"]', '["no base 64"]'])
def test_keys_that_are_none_are_told(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("COUNTERPOINT_TRUSTED_KEYS", value)
    with pytest.raises(SettingsError, match="COUNTERPOINT_TRUSTED_KEYS"):
        load_settings()


@pytest.mark.parametrize("pem", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_private_key_that_is_none_is_told(folder: Path, pem: bytes) -> None:
    with pytest.raises(SigningKeyError):
        sign_bundle(folder / OLD, pem)


def test_the_service_refuses_to_change_to_an_unsigned_bundle(serve: Callable[..., Any], folder: Path) -> None:
    key = make_key()
    sign_bundle(folder / NEW, key)
    settings = {"releases": folder, "trusted_keys": [public_key_of(key)], "allow_activate": True}
    with serve(**settings) as running:
        assert httpx.post(f"{running.url}/v1/models/{OLD}/activate", trust_env=False).status_code == 409
        listed = httpx.get(f"{running.url}/v1/models", trust_env=False).json()
        assert [one["version"] for one in listed["models"]] == [NEW]
    with pytest.raises(SignatureError), serve(**settings, bundle_version=OLD):
        pass
