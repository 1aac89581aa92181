"""Where exports are stored."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Location:
    """A bucket (S3, R2, MinIO), or a directory if `bucket` is "". endpoint: "" for AWS. Without an access key boto3 finds
    credentials itself."""

    bucket: str = ""
    endpoint: str = ""
    region: str = ""
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    directory: str = ""
