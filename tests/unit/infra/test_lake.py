"""The lake's template: the table is the row, the bucket is closed, nobody may more than need be."""

from __future__ import annotations

import json
from typing import Any

from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]  # It has none.

from chalicelib.stream import row
from infra.deploy.deployment import _OPTIONS
from infra.deploy.lake import lake_template, named_query
from roomgate.analytics.sql import names, query

TEMPLATE: dict[str, Any] = cfn_yaml.loads(lake_template(named_queries=False))
RESOURCES = TEMPLATE["Resources"]
TABLE = RESOURCES["Table"]["Properties"]["TableInput"]
DELIVERY = RESOURCES["Stream"]["Properties"]["ExtendedS3DestinationConfiguration"]
POLICY = RESOURCES["AnalystPolicy"]["Properties"]["PolicyDocument"]["Statement"]
(ROLE,) = RESOURCES["StreamRole"]["Properties"]["Policies"]
READING = ("Get", "BatchGet", "List", "Describe")
GLUE = {
    f"arn:${{AWS::Partition}}:glue:${{AWS::Region}}:${{AWS::AccountId}}:{what}"
    for what in ("catalog", "database/${Database}", "table/${Database}/${Table}")
}


def allowed(statements: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Resources by action."""
    found: dict[str, set[str]] = {}
    for statement in statements:
        for action in listed(statement["Action"]):
            found.setdefault(action, set()).update(map(text, listed(statement["Resource"])))
    return found


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def text(resource: Any) -> str:
    ((how, what),) = resource.items()
    return ".".join(what) if how == "Fn::GetAtt" else str(what)


def test_the_table_has_the_columns_of_the_row() -> None:
    """Names, types and order: Firehose converts by the table what the exporter wrote by the row."""
    columns = TABLE["StorageDescriptor"]["Columns"]
    assert [(column["Name"], column["Type"]) for column in columns] == [
        (name, column.type) for name, column in row.COLUMNS.items()
    ]
    assert all(0 < len(column["Comment"]) <= 255 for column in columns)


def test_partitions_are_computed_from_where_firehose_writes() -> None:
    """By day and hour with two digits, up to now; no crawler is needed."""
    parameters = TABLE["Parameters"]
    assert parameters["projection.enabled"] == "true"
    assert parameters["projection.dt.range"].endswith(",NOW")
    assert parameters["projection.dt.format"] == "yyyy-MM-dd"
    assert parameters["projection.hour.digits"] == "2"
    assert [each["Name"] for each in TABLE["PartitionKeys"]] == ["dt", "hour"]
    _, parts = parameters["storage.location.template"]["Fn::Join"]
    assert parts[-1] == "/rows/dt=${dt}/hour=${hour}/"
    assert DELIVERY["Prefix"] == "rows/dt=!{timestamp:yyyy-MM-dd}/hour=!{timestamp:HH}/"
    assert TABLE["StorageDescriptor"]["Location"] == {"Fn::Sub": "s3://${Bucket}/rows/"}


def test_firehose_converts_by_the_table() -> None:
    """Gzipped Parquet, from a buffer as large as conversion asks for; errors lie apart."""
    conversion = DELIVERY["DataFormatConversionConfiguration"]
    assert conversion["Enabled"] is True
    schema = conversion["SchemaConfiguration"]
    assert (schema["DatabaseName"], schema["TableName"]) == ({"Ref": "Database"}, {"Ref": "Table"})
    assert DELIVERY["BufferingHints"]["SizeInMBs"] >= 64
    serializer = conversion["OutputFormatConfiguration"]["Serializer"]
    assert serializer == {"ParquetSerDe": {"Compression": "GZIP"}}
    assert DELIVERY["CompressionFormat"] == "UNCOMPRESSED"
    assert DELIVERY["ErrorOutputPrefix"].startswith("errors/!{firehose:error-output-type}/")


def test_the_bucket_is_closed_encrypted_versioned_and_kept() -> None:
    """Rows are years of work; results and errors are not."""
    bucket = RESOURCES["Bucket"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    properties = bucket["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    rules = properties["LifecycleConfiguration"]["Rules"]
    days = {each["Prefix"]: each["ExpirationInDays"] for each in rules if "Prefix" in each}
    assert days == {"rows/": {"Ref": "LakeDays"}, "errors/": 90, "results/": 7}


def test_firehose_may_do_this_and_nothing_else() -> None:
    """Write rows and errors, and read the table; only for this account."""
    bucket, written = {"Bucket.Arn"}, {"${Bucket.Arn}/rows/*", "${Bucket.Arn}/errors/*"}
    assert allowed(ROLE["PolicyDocument"]["Statement"]) == {
        "s3:GetBucketLocation": bucket,
        "s3:ListBucket": bucket,
        "s3:ListBucketMultipartUploads": bucket,
        "s3:AbortMultipartUpload": written,
        "s3:GetObject": written,
        "s3:PutObject": written,
        "glue:GetTable": GLUE,
        "glue:GetTableVersion": GLUE,
        "glue:GetTableVersions": GLUE,
        "logs:PutLogEvents": {"LogGroup.Arn"},
    }
    trust = RESOURCES["StreamRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    (only,) = trust
    assert only["Principal"] == {"Service": "firehose.amazonaws.com"}
    assert only["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "AWS::AccountId"}}}


def test_analysts_have_a_role_with_their_policy_alone() -> None:
    """The account decides who may take it; no other account can."""
    role = RESOURCES["AnalystRole"]["Properties"]
    assert role["ManagedPolicyArns"] == [{"Ref": "AnalystPolicy"}]
    assert "Policies" not in role
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    root = {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}
    assert statement["Principal"] == {"AWS": root}


def test_analysts_read_rows_and_write_results_alone() -> None:
    """They may start and stop queries; all else is reading, of this lake."""
    rights = allowed(POLICY)
    writing = {action for action in rights if not action.partition(":")[2].startswith(READING)}
    assert writing == {
        "athena:StartQueryExecution",
        "athena:StopQueryExecution",
        "s3:AbortMultipartUpload",
        "s3:PutObject",
    }
    assert rights["s3:PutObject"] == {"${Bucket.Arn}/results/*"}
    assert rights["s3:GetObject"] == {"${Bucket.Arn}/rows/*", "${Bucket.Arn}/results/*"}
    assert rights["glue:GetTable"] == GLUE
    default = "arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:database/default"
    assert rights["glue:GetDatabase"] == GLUE | {default}
    (workgroup,) = rights["athena:StartQueryExecution"]
    assert workgroup.endswith(":workgroup/${WorkGroup}")


def test_every_query_has_a_limit() -> None:
    """Of the bytes that it may read, which nobody who asks can lift."""
    configuration = RESOURCES["WorkGroup"]["Properties"]["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["BytesScannedCutoffPerQuery"] == {"Ref": "ScanLimitBytes"}


def test_nothing_is_everything_and_no_partition_is_written_out() -> None:
    """No lone star, no literal ARN; services are named as principals alone."""
    written = json.dumps(TEMPLATE)
    assert '"*"' not in written
    assert "arn:aws" not in written
    assert written.count("amazonaws.com") == 1


def test_operators_can_choose_what_the_template_leaves_open() -> None:
    """Each parameter is an option of deploying, or the stack's name."""
    chosen = {parameter for parameter, _ in _OPTIONS.values()}
    assert TEMPLATE["Parameters"].keys() <= chosen | {"Stack"}


def test_each_sql_file_is_a_named_query() -> None:
    """It runs as it is, about yesterday; its first sentence is what it says of itself."""
    resources = cfn_yaml.loads(lake_template())["Resources"]
    added = [resources[name]["Properties"] for name in resources if name not in RESOURCES]
    assert [each["Name"] for each in added] == names()
    peak = added[names().index("peak_concurrency")]
    assert peak["Description"].startswith("Peak concurrency: ")
    assert peak["QueryString"] == query("peak_concurrency").saved()
    assert (peak["Database"], peak["WorkGroup"]) == ({"Ref": "Database"}, {"Ref": "WorkGroup"})


def test_no_named_query_is_longer_than_athena_takes() -> None:
    """262,144 bytes of text, 1,024 characters of description (AWS's reference of NamedQuery)."""
    for found in map(query, names()):
        properties = named_query(found)["Properties"]
        assert len(properties["QueryString"].encode()) <= 262_144
        assert 0 < len(properties["Description"]) <= 1024
