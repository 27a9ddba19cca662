"""TLS: a certificate that is not trusted is said, one that is given is trusted, and times are taken as without."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.load.scripted_server import ScriptedServer, steady
from tuner_tui.load.endpoint import Endpoint, LoadImpossible
from tuner_tui.load.model import Job, RequestRecord
from tuner_tui.load.prompts import Prompts


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    try:
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", folder / "key.pem", "-out", folder / "cert.pem",
            ],
            check=True, capture_output=True,
        )  # fmt: skip
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    return folder / "cert.pem"


async def one(certificate: Path, **options: Any) -> RequestRecord:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    server = ScriptedServer(steady(0.05, 0.01))
    listening = await asyncio.start_server(server._connected, "127.0.0.1", 0, ssl=context)
    url = f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    endpoint = Endpoint(Job(url=url, records="", max_requests=1, **options))
    try:
        for _ in range(2):
            await endpoint.find_model()
            sent = await endpoint.send(endpoint.prepare(0, Prompts(1).token_ids(0, 3_000), 11))
        assert server.connections == 1
        return endpoint.read(sent, 0, 0.0)
    finally:
        await endpoint.close()
        listening.close()


async def test_a_given_certificate_is_trusted(certificate: Path) -> None:
    record = await one(certificate, ca_file=str(certificate))
    assert (record.error, record.prompt_tokens, record.output_tokens, record.chunks) == (None, 3_000, 11, 11)
    assert record.first_s is not None
    assert record.last_s is not None
    assert 0.04 < record.first_s - record.sent_s < 0.5
    assert 0.09 < record.last_s - record.first_s < 0.5


async def test_insecure_takes_any(certificate: Path) -> None:
    assert (await one(certificate, insecure=True)).error is None


async def test_one_that_is_not_trusted_is_said(certificate: Path) -> None:
    with pytest.raises(LoadImpossible, match="TLS: self-signed certificate"):
        await one(certificate)


async def test_a_file_without_certificates_is_said(tmp_path: Path) -> None:
    with pytest.raises(LoadImpossible, match=r"none\.pem: no certificates can be read"):
        Endpoint(Job(url="https://127.0.0.1", records="", ca_file=str(tmp_path / "none.pem")))
