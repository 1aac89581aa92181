"""Installs the provider for Terraform: a filesystem mirror, and a CLI configuration that points to it.

The package contains a single file that is the same on every machine, since everything machine-specific lies next to
the mirror. So its hash is constant, and a repository can commit its lock file.
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
# Leave mirror/HOST/NAMESPACE/TYPE/VERSION/PLATFORM, following Terraform's symlinks, and run this machine's script.
cd -P "${0%/*}/../../../../../.." && exec ./playground "$@"
"""

_SERVE = "import sys; sys.path[:0] = sys.argv[1:-1]; from pathlib import Path; \
from bot.playground.provider.plugin_server import serve; serve(Path(sys.argv[-1]))"


def install(directory: Path) -> Path:
    """Write mirror, TLS identity and CLI configuration below `directory`, an absolute path. Existing files are kept.

    Returns the path of the configuration, to be used as TF_CLI_CONFIG_FILE.
    """
    package = directory / "mirror" / SOURCE / VERSION / _platform()
    package.mkdir(parents=True, exist_ok=True)
    _write(package / f"terraform-provider-playground_v{VERSION}", LAUNCHER, 0o755)
    _write(directory / "playground", _start_script(directory), 0o755)
    if not (directory / "identity.json").exists():
        _write(directory / "identity.json", _tls_identity(), 0o600)
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
    """Write a file atomically, as another process may be starting from it. Unchanged files are not touched."""
    if path.exists() and path.read_text() == text:
        return
    draft = path.with_name(f".{path.name}.new")
    draft.touch(mode=mode)
    draft.write_text(text)
    draft.chmod(mode)
    draft.replace(path)


def _start_script(directory: Path) -> str:
    """Return a script that starts the provider without `site`, which takes longer to load than all imports.

    `bot` is found by a link: the directory that it is in may hold a checkout, which the sandbox does not show.
    """
    code, package = directory / "lib" / "bot", Path(__file__).resolve().parents[2]
    if not (code.is_symlink() and code.readlink() == package):
        code.parent.mkdir(exist_ok=True)
        draft = code.with_name(".bot.new")
        draft.symlink_to(package)
        draft.replace(code)
    paths = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), str(code.parent)])
    argv = [sys.executable, "-I", "-S", "-c", _SERVE, *paths, str(directory / "identity.json")]
    return f"#!/bin/sh\nexec {shlex.join(argv)}\n"


def _platform() -> str:
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    return f"{platform.system().lower()}_{machine}"


def _tls_identity() -> str:
    """Return key and certificate of the socket between Terraform and the provider, as JSON."""
    # Imported here because the provider's process imports this package, and must start quickly.
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
            # go-plugin expects unpadded base64.
            "der": base64.b64encode(der).decode().rstrip("="),
        }
    )
