"""Puts the provider where Terraform finds it: a filesystem mirror and a CLI configuration that names it.

The one file inside the package is the same on every machine (all that depends on the machine lies beside the
mirror), so its hash is constant and a repository may commit its lock file.
"""

from __future__ import annotations

import base64
import json
import platform
import shlex
import sys
import sysconfig
from datetime import UTC, datetime, timedelta
from pathlib import Path

SOURCE = "towpath.example/demo/playground"
VERSION = "1.0.0"

LAUNCHER = """#!/bin/sh
# Up from mirror/HOST/NAMESPACE/TYPE/VERSION/PLATFORM, through Terraform's links, to what this machine needs.
cd -P "${0%/*}/../../../../../.." && exec ./playground "$@"
"""

_TO_SERVE = "import sys; sys.path[:0] = sys.argv[1:-1]; from pathlib import Path; \
from bot.playground.provider.serve import serve; serve(Path(sys.argv[-1]))"


def install(directory: Path) -> Path:
    """Write mirror, TLS identity and CLI configuration below `directory` (absolute; kept where they exist).

    Returns the configuration's path, the value for TF_CLI_CONFIG_FILE.
    """
    package = directory / "mirror" / SOURCE / VERSION / _platform()
    package.mkdir(parents=True, exist_ok=True)
    _write(package / f"terraform-provider-playground_v{VERSION}", LAUNCHER, 0o755)
    _write(directory / "playground", _start(directory / "identity.json"), 0o755)
    if not (directory / "identity.json").exists():
        _write(directory / "identity.json", _identity(), 0o600)
    configuration = directory / "terraform.rc"
    mirror = json.dumps(str(directory / "mirror"))
    text = f"""provider_installation {{
  filesystem_mirror {{
    path    = {mirror}
    include = ["towpath.example/*/*"]
  }}
  direct {{
    exclude = ["towpath.example/*/*"]
  }}
}}
"""
    _write(configuration, text, 0o644)
    return configuration


def _write(path: Path, text: str, mode: int) -> None:
    """Atomically, since another process may be starting from it; untouched where nothing changes."""
    if path.exists() and path.read_text() == text:
        return
    draft = path.with_name(f".{path.name}.new")
    draft.touch(mode=mode)
    draft.write_text(text)
    draft.chmod(mode)
    draft.replace(path)


def _start(identity: Path) -> str:
    """A script that starts the provider's process without `site`, whose start-up costs more than the imports."""
    libraries = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    paths = dict.fromkeys([*libraries, str(Path(__file__).resolve().parents[3])])
    argv = [sys.executable, "-I", "-S", "-c", _TO_SERVE, *paths, str(identity)]
    return f"#!/bin/sh\nexec {shlex.join(argv)}\n"


def _platform() -> str:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{platform.system().lower()}_{machine}"


def _identity() -> str:
    """Key and certificate for the socket between Terraform and the provider, as JSON: `key`, `certificate`, `der`."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    der = certificate.public_bytes(serialization.Encoding.DER)
    pem = serialization.PrivateFormat.PKCS8
    private = key.private_bytes(serialization.Encoding.PEM, pem, serialization.NoEncryption())
    return json.dumps(
        {
            "key": private.decode(),
            "certificate": certificate.public_bytes(serialization.Encoding.PEM).decode(),
            # go-plugin reads unpadded base64.
            "der": base64.b64encode(der).decode().rstrip("="),
        }
    )
