# Copyright (c) 2026, Dragonfly collection contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates for tests with TLS: a CA, and a server and a client signed by it."""

from __future__ import annotations

import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_DAY = datetime.timedelta(days=1)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _sign(subject, key, issuer, issuer_key, extensions, expired=False):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - 2 * _DAY)
    builder = builder.not_valid_after(now - _DAY if expired else now + 30 * _DAY)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    builder = builder.add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256())


def make_certificates(folder, names=("127.0.0.1", "localhost"), expired=False):
    """Write the certificates of a CA, a server and a client to a directory.

    :param names: of the server.
    :param expired: whether the server's certificate is no longer valid.
    :returns: dict of paths: ``ca``, ``cert``, ``key``, ``client_cert``, ``client_key``. The client's CA is ``ca``, too.
    """
    ca_key, ca_name = ec.generate_private_key(ec.SECP256R1()), _name("sandbox CA")
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    ca = _sign(
        ca_name, ca_key, ca_name, ca_key, [(x509.BasicConstraints(ca=True, path_length=None), True), (usage, True)]
    )
    paths = {}

    def write(name, content):
        paths[name] = os.path.join(str(folder), name.replace("_", "-") + ".pem")
        with open(paths[name], "wb") as file:
            file.write(content)

    def write_key(name, key):
        write(
            name,
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )

    write("ca", ca.public_bytes(serialization.Encoding.PEM))
    for prefix, subject, extensions in (
        ("", _name(names[0]), [(x509.SubjectAlternativeName([_alternative(name) for name in names]), False)]),
        ("client_", _name("client"), []),
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _sign(subject, key, ca_name, ca_key, extensions, expired and not prefix)
        write(prefix + "cert", certificate.public_bytes(serialization.Encoding.PEM))
        write_key(prefix + "key", key)
    return paths
