"""Connections to S3 and what speaks its protocol (R2, MinIO), and their errors in our words."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.errors import TransientError, UserError

if TYPE_CHECKING:
    from botocore.awsrequest import AWSRequest
    from mypy_boto3_s3 import S3Client


def connect_s3(endpoint: str, region: str, access_key_id: str, secret_access_key: str) -> S3Client:
    """Return a client, which is safe to share between threads. endpoint: "" for AWS. Without an access key boto3 finds
    credentials itself, such as an instance role's."""
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=5,
        read_timeout=60,
        retries={"mode": "standard", "total_max_attempts": 4},
        request_checksum_calculation="when_required",  # R2 and MinIO do not know the newer checksums
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"} if endpoint else {},
    )
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=region or None,
        aws_access_key_id=access_key_id or None,
        aws_secret_access_key=secret_access_key or None,
        config=config,
    )
    if endpoint:
        client.meta.events.register("before-sign.s3.DeleteObjects", _with_md5)
    return client


def _with_md5(request: AWSRequest, **_more: object) -> None:
    """Send Content-MD5 instead of the CRC32 that boto3 sends with DeleteObjects whatever its settings say: most of what
    speaks S3's protocol requires the one, and some do not know the other."""
    for name in [
        name
        for name in request.headers
        if name.lower().startswith(("x-amz-checksum-", "x-amz-sdk-checksum-"))
    ]:
        del request.headers[name]
    body = request.body.encode() if isinstance(request.body, str) else request.body
    digest = hashlib.md5(body, usedforsecurity=False).digest()
    request.headers["Content-MD5"] = base64.b64encode(digest).decode()


@contextmanager
def translated_errors(bucket: str, advice: str) -> Iterator[None]:
    """Translate boto3's errors to UserError, with the advice as its next step, and to TransientError."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except NoCredentialsError:
        raise UserError(f"The bot has no access key for the bucket `{bucket}`.", next_step=advice) from None
    except ClientError as error:
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response.get("Error", {}).get("Code", "")
        if status >= 500 or status == 429:
            raise TransientError(f"the bucket {bucket} returned {status} {code}") from error
        raise UserError(f"Cannot access the bucket `{bucket}`: {code}.", next_step=advice) from error
    except BotoCoreError as error:
        raise TransientError(f"the bucket {bucket} does not answer: {type(error).__name__}") from error
