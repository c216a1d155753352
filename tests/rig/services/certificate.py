"""A self-signed certificate, valid for a day."""

import hashlib
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID


def write(folder: Path, host: str, *addresses: str) -> str:
    """Write cert.pem and key.pem for a host. Returns the public key's digest for Chromium: SHA-256, base64."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    names = [x509.DNSName(host), *(x509.IPAddress(ip_address(address)) for address in addresses)]
    signed = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    (folder / "key.pem").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "cert.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(hashlib.sha256(public).digest()).decode()


def write_lineage(folder: Path, host: str) -> None:
    """Write certificate and key under the names that certbot uses: fullchain.pem and privkey.pem."""
    write(folder, host)
    for ours, certbots in (("cert.pem", "fullchain.pem"), ("key.pem", "privkey.pem")):
        (folder / ours).rename(folder / certbots)
