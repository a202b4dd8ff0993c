"""Sites for tests: pages on any address of loopback, with or without TLS, and who asked for them."""

import datetime
import http.server
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.background import in_background

__all__ = ["Site", "certificate_for", "site"]

_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Site:
    port: int
    visits: list[tuple[str, str]] = field(default_factory=list)
    """Host header and path of each request."""


@contextmanager
def site(
    pages: Mapping[str, tuple[int, str]],
    address: str = "127.0.0.1",
    port: int = 0,
    certificate: Path | None = None,
) -> Iterator[Site]:
    """Serve pages, path → status and HTML (or from 300 on where to go), for as long as the context lasts."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.visits.append((self.headers["Host"], self.path))
            status, content = pages[self.path]
            body = content.encode()
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", content)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that does not like the certificate hangs up

    server = Server((address, port), Handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    running = Site(server.server_address[1])
    with in_background(server):
        yield running


def certificate_for(name: str, folder: Path) -> tuple[Path, Path]:
    """Make a certificate for a host, its key in the same file, and one of the authority behind it."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "An authority of the tests")])
    usage = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(name)])
    known = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    authority = (
        x509.CertificateBuilder(issuer, issuer, authority_key.public_key(), 1, now - _DAY, now + _DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(**usage | {"key_cert_sign": True}), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    of_host = (
        x509.CertificateBuilder(issuer, x509.Name([]), key.public_key(), 2, now - _DAY, now + _DAY)
        .add_extension(names, critical=True)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.KeyUsage(**usage | {"digital_signature": True}), critical=True)
        .add_extension(known, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    own, of_authority = folder / f"{name}.pem", folder / f"authority of {name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    own.write_bytes(private + of_host.public_bytes(serialization.Encoding.PEM))
    of_authority.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    return own, of_authority
