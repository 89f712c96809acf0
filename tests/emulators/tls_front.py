"""TLS before a stand-in, with a certificate of its own; until it is mended, whoever wants TLS gets something else."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class TlsFront:
    """The way to a service over TLS."""

    def __init__(self, upstream: str, folder: Path) -> None:
        """The service's http URL, and where the certificate is to be written: clients have to trust it."""
        self.bundle = folder / "bundle.pem"
        self.url = ""
        self.works = False
        host, _, port = upstream.removeprefix("http://").partition(":")
        self._upstream = host, int(port)
        self._server: asyncio.Server | None = None
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(self.bundle, _write_certificate(self.bundle, folder / "key.pem"))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"https://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            if not self.works:
                writer.write(b"HTTP/1.1 403 no TLS here\r\n\r\n")
                await writer.drain()
                return
            await writer.start_tls(self._context)
            service, to_service = await asyncio.open_connection(*self._upstream)
            with contextlib.closing(to_service):
                async with asyncio.TaskGroup() as both:
                    both.create_task(_pass_on(reader, to_service))
                    both.create_task(_pass_on(service, writer))


async def _pass_on(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(1 << 16):
            to.write(data)
            await to.drain()
    to.close()


def _write_certificate(certificate: Path, key_file: Path) -> Path:
    """A certificate for 127.0.0.1 that vouches for itself; returns where its key is."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return key_file
