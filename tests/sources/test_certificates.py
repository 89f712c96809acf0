"""Certificates are read for connections, and not for what is never used."""

from __future__ import annotations

import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from smwatch.sources.certificates import unread

OPENED = """
import ssl
read = []
for name in ("load_verify_locations", "set_default_verify_paths"):
    def reading(context, *given, usual=getattr(ssl.SSLContext, name), name=name):
        read.append(name)
        usual(context, *given)
    setattr(ssl.SSLContext, name, reading)
from smwatch.sources.crt import import_botocore
import_botocore()
print(*read)
from aiobotocore.httpsession import AIOHTTPSession
AIOHTTPSession()._build_verify_context()
print(*read)
import aiohttp.connector
default = aiohttp.connector._SSL_CONTEXT_VERIFIED
print(default.verify_mode == ssl.CERT_REQUIRED, default.check_hostname, default.cert_store_stats()["x509_ca"])
"""


def test_none_are_read_until_there_is_a_connection_and_what_has_none_trusts_nobody() -> None:
    told = subprocess.run([sys.executable, "-c", OPENED], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == ["", "load_verify_locations", "True True 0"]


def test_other_threads_read_them_meanwhile_as_always() -> None:
    usual = ssl.create_default_context()
    with unread(), ThreadPoolExecutor(1) as thread:
        assert ssl.create_default_context().get_ca_certs() == []
        assert thread.submit(ssl.create_default_context).result().get_ca_certs() == usual.get_ca_certs()
    assert ssl.create_default_context().get_ca_certs() == usual.get_ca_certs()
