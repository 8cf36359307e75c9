"""The S3 server of the tests keeps what Object Lock promises, inside and outside the cluster."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.cluster import s3
from tests.cluster.pods import alone, pod, settled
from tests.cluster.running import RunningCluster


def client_of(server: s3.S3) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=server.outside,
        aws_access_key_id=server.access_key,
        aws_secret_access_key=server.secret_key,
        region_name="us-east-1",
    )


def test_a_locked_record_is_neither_overwritten_nor_deleted(
    cluster: RunningCluster, namespace: str
) -> None:
    with s3.running(cluster, namespace) as server:
        client = client_of(server)
        client.create_bucket(Bucket="ledger", ObjectLockEnabledForBucket=True)
        written = client.put_object(
            Bucket="ledger",
            Key="record",
            Body=b"genesis",
            ObjectLockMode="COMPLIANCE",
            ObjectLockRetainUntilDate=datetime.now(UTC) + timedelta(days=1),
        )

        with pytest.raises(ClientError, match="PreconditionFailed"):
            client.put_object(Bucket="ledger", Key="record", Body=b"other", IfNoneMatch="*")
        with pytest.raises(ClientError, match="AccessDenied"):
            client.delete_object(Bucket="ledger", Key="record", VersionId=written["VersionId"])
        assert client.get_object(Bucket="ledger", Key="record")["Body"].read() == b"genesis"


def test_pods_reach_the_server_by_its_inner_address(
    cluster: RunningCluster, namespace: str, probe: str
) -> None:
    with s3.running(cluster, namespace) as server:
        cluster.apply(alone("caller", pod("get", server.inside)), namespace=namespace)
        settled(cluster, namespace, "caller")

        answer = cluster.kubectl(None, f"--namespace={namespace}", "logs", "caller")
        assert answer == f"{server.inside}: 403 Forbidden\n"
