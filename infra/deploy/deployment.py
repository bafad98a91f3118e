"""Put the bundle on AWS, or take it down.

    python -m infra.deploy.deployment up [--stack roomgate] [--domain-name … --certificate-arn …] …
    python -m infra.deploy.deployment down [--stack roomgate] [--data]

Account, region and credentials come from the usual AWS settings. What is left out on a later ``up``
stays as it was. The local AWS is deployed to by the same code (infra.local.run).
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.auth.report_tokens import write_keys
from chalicelib.auth.token_rotation import new_token_key
from chalicelib.table.table import HISTORY_DAYS, REPORT_DAYS
from infra.deploy import cloud as clouds
from infra.deploy.lake import lake_template
from infra.deploy.stacks import Stacks
from infra.layout import FUNCTIONS, TEMPLATES, InfraError
from infra.local.gateway import put_gateway_responses
from infra.local.roles import let_list_parameters
from infra.package import bundle as packaging
from infra.package import target as targets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.deploy.cloud import Cloud
    from infra.package.bundle import Bundle

# It refuses RotationSchedule and alarms on metric math, unless their condition is false; and who
# looks on while a key changes, or for a row in the lake, should not have to wait for a minute.
_LOCAL: Final = {
    "TokenRotationDays": "0",
    "KeyMaxAgeDays": "0",
    "RefreshSeconds": "2",
    "ExportWindowSeconds": "0",
}
# Option, and the template parameter that it sets, with what it is for.
_OPTIONS: Final = {
    "--domain-name": ("DomainName", "custom domain; its certificate must be in this region"),
    "--certificate-arn": ("CertificateArn", "the domain's ACM certificate"),
    "--extension-layer-arn": ("ExtensionLayerArn", "Parameters-and-Secrets layer of the region"),
    "--refresh-seconds": ("RefreshSeconds", "seconds after which keys and callers are read again"),
    "--throttle-rate": ("ThrottleRate", "requests a second to each function"),
    "--throttle-burst": ("ThrottleBurst", "requests at once to each function"),
    "--reserved-concurrency": ("ReservedConcurrency", "executions kept for each function, -1 none"),
    "--memory-size": ("MemorySize", "MB of each function"),
    "--token-rotation-days": ("TokenRotationDays", "days between rotations of report-token keys"),
    "--report-days": ("ReportDays", "days that reports are kept"),
    "--history-days": ("HistoryDays", "days that changes, snapshots and sessions are kept"),
    "--web-origin": (
        "WebOrigins",
        "origins of web pages that may report: https://a.com,https://b.com",
    ),
    "--export-reports": ("ExportReports", "true or false: whether reports go to the lake too"),
    "--export-window-seconds": ("ExportWindowSeconds", "seconds that changes wait for others"),
    "--lake-days": ("LakeDays", "days that the lake keeps rows"),
    "--lake-buffer-seconds": ("LakeBufferSeconds", "seconds that Firehose waits for more rows"),
    "--scan-limit-bytes": ("ScanLimitBytes", "most bytes that one query of the lake may read"),
    "--quarantine-days": ("QuarantineDays", "days that what could not be worked off is kept"),
    "--log-retention-days": ("LogRetentionDays", "days that logs are kept"),
    "--alarm-topic-arn": ("AlarmTopicArn", "SNS topic that the alarms tell"),
    "--key-stale-hours": ("KeyStaleHours", "hours that a key signs on while the store is down"),
    "--key-max-age-days": ("KeyMaxAgeDays", "days after which an alarm asks for a new signing key"),
    "--deletion-protection": ("DeletionProtection", "true or false, of the event table"),
}


class Deployed(NamedTuple):
    """What is up.

    Attributes:
        stack: the name of the installation.
        urls: base URL by function, of those that have an API.
        table: the event table.
        domain_target: what the custom domain's DNS record must point at, or None.
    """

    stack: str
    urls: dict[str, str]
    table: str
    domain_target: str | None


def up(
    cloud: Cloud,
    bundles: list[Bundle],
    stack: str,
    chosen: Mapping[str, str],
    say: Callable[[str], None],
) -> Deployed:
    """Deploy packaged functions; what is up to date already is left alone.

    Args:
        cloud: where to.
        bundles: the functions, in the order of ``FUNCTIONS``.
        stack: the name of the installation, a prefix of all names.
        chosen: template parameters that the operator sets, by name.
        say: takes one line of progress.

    Raises:
        InfraError: a stack failed; says which resources, and why.
    """
    stacks = Stacks(cloud.cloudformation, say, pause=0.05 if cloud.local else 3.0)
    say(f"{stack}-shared: key, table, secret, bucket")
    shared_template = (TEMPLATES / "shared.yaml").read_text()
    values = {**(_LOCAL if cloud.local else {}), **chosen, "Stack": stack}
    if stacks.begin(f"{stack}-shared", {"TemplateBody": shared_template}, values):
        stacks.wait(f"{stack}-shared")
    shared = stacks.outputs(f"{stack}-shared")
    _seed_report_token_key(cloud, f"{stack}/report-token", say)
    shared |= _lake(cloud, stacks, stack, values | shared, say)
    urls: dict[str, str] = {}
    for bundle in bundles:
        name = bundle.function.name
        say(f"{stack}-{name}: {'role, function, API' if bundle.function.http else 'functions'}")
        told = {"WebhookUrl": urls["webhook"]} if "webhook" in urls else {}
        source, code = _upload(cloud, bundle, shared["ArtifactsBucket"])
        if stacks.begin(f"{stack}-{name}", source, {**values, **shared, **told, **code}):
            stacks.wait(f"{stack}-{name}")
        if bundle.function.http:
            urls[name] = _url(cloud, stacks.outputs(f"{stack}-{name}"))
        elif cloud.local and name in {"keeper", "rotation"}:
            let_list_parameters(cloud.iam, stacks.roles(f"{stack}-{name}"))
    return Deployed(stack, urls, shared["TableName"], shared.get("DomainTarget"))


def down(cloud: Cloud, stack: str, say: Callable[[str], None], *, data: bool) -> None:
    """Delete the functions with all that is theirs; with ``data``, what they share too.

    Raises:
        InfraError: something could not be deleted.
    """
    stacks = Stacks(cloud.cloudformation, say, pause=0.05 if cloud.local else 3.0)
    shared = stacks.outputs(f"{stack}-shared")
    for function in reversed(FUNCTIONS):
        say(f"{stack}-{function.name}: deleting")
        stacks.delete(f"{stack}-{function.name}")
    if not shared:
        return
    lake = stacks.outputs(f"{stack}-lake")
    _empty(cloud, shared["ArtifactsBucket"])
    if data:
        say(f"{stack}-lake: deleting")
        stacks.delete(f"{stack}-lake")
        say(f"{stack}-shared: deleting")
        stacks.delete(f"{stack}-shared")
    for line in _left_over(stack, shared | lake, data=data):
        say(line)


def _lake(
    cloud: Cloud,
    stacks: Stacks,
    stack: str,
    values: Mapping[str, str],
    say: Callable[[str], None],
) -> dict[str, str]:
    """Bring up the lake; its outputs."""
    say(f"{stack}-lake: bucket, Firehose, table, workgroup")
    # The local AWS has named queries, but refuses the resource that makes one.
    template = lake_template(named_queries=not cloud.local)
    source = _put_template(cloud, "lake", template.encode(), values["ArtifactsBucket"])
    if stacks.begin(f"{stack}-lake", source, values):
        stacks.wait(f"{stack}-lake")
    return stacks.outputs(f"{stack}-lake")


def _seed_report_token_key(cloud: Cloud, name: str, say: Callable[[str], None]) -> None:
    """Put the first report-token key, unless there is one: the template makes the secret empty."""
    try:
        # The local AWS gives a secret without a value an empty one.
        if cloud.secretsmanager.get_secret_value(SecretId=name)["SecretString"]:
            return
    except cloud.secretsmanager.exceptions.ResourceNotFoundException:
        pass
    value = write_keys([new_token_key()])
    cloud.secretsmanager.put_secret_value(SecretId=name, SecretString=value)
    say(f"{name}: made the first key of report tokens")


def _upload(cloud: Cloud, bundle: Bundle, bucket: str) -> tuple[dict[str, str], dict[str, str]]:
    """Upload a zip and its template; where the template is, and parameters that name the zip."""
    code_key = f"{bundle.function.name}/{bundle.sha256}.zip"
    if "Contents" not in cloud.s3.list_objects_v2(Bucket=bucket, Prefix=code_key):
        cloud.s3.put_object(Bucket=bucket, Key=code_key, Body=bundle.zip.read_bytes())
    source = _put_template(cloud, bundle.function.name, bundle.template.read_bytes(), bucket)
    return source, {"CodeBucket": bucket, "CodeKey": code_key}


def _put_template(cloud: Cloud, name: str, template: bytes, bucket: str) -> dict[str, str]:
    """Upload a template, since CloudFormation takes no more than 51,200 bytes of it in a call."""
    key = f"{name}/template"
    cloud.s3.put_object(Bucket=bucket, Key=key, Body=template)
    return {"TemplateURL": f"{cloud.s3.meta.endpoint_url}/{bucket}/{key}"}


def _url(cloud: Cloud, outputs: Mapping[str, str]) -> str:
    if cloud.endpoint is None:
        return outputs["Url"]
    api = outputs["RestAPIId"]
    put_gateway_responses(cloud.apigateway, api)
    return f"{cloud.endpoint}/restapis/{api}/api/_user_request_"


def _empty(cloud: Cloud, bucket: str) -> None:
    for page in cloud.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            cloud.s3.delete_object(Bucket=bucket, Key=found["Key"])


def _left_over(stack: str, shared: Mapping[str, str], *, data: bool) -> list[str]:
    prefixes = ",".join(f"{stack}/{kind}/" for kind in ("app", "relay", "callback"))
    operators = [
        f"  aws secretsmanager list-secrets --filters Key=name,Values={prefixes}",
        "  aws secretsmanager delete-secret --force-delete-without-recovery --secret-id NAME",
        f"  aws ssm get-parameters-by-path --recursive --path /{stack} --query Parameters[].Name",
        "  aws ssm delete-parameters --names …   (all of them)",
    ]
    if not data:
        return [
            f"Kept: stacks {stack}-shared (event table, KMS key, report-token secret) and",
            f"{stack}-lake, and what operators made (keys, settings, callers, relays, callback",
            "keys). `make deploy` again goes on with all of it.",
            f'To delete these stacks too: make undeploy ARGS="--stack {stack} --data"',
        ]
    table = f"--table-name {shared['TableName']}"
    return [
        "AWS keeps what no stack may take along; delete it by hand, the key last:",
        f"  aws dynamodb update-table --no-deletion-protection-enabled {table}",
        f"  aws dynamodb delete-table {table}",
        f"  aws s3 rb --force s3://{shared['QuarantineBucket']}",
        *_lake_left_over(shared),
        *operators,
        f"  aws kms schedule-key-deletion --key-id {shared['KeyArn']}",
    ]


def _lake_left_over(shared: Mapping[str, str]) -> list[str]:
    if "LakeBucket" not in shared:  # A first `up` that failed half-way.
        return []
    # Versions of deleted objects keep a bucket from being deleted.
    return [
        f"  (empty s3://{shared['LakeBucket']}, all versions, in the console)",
        f"  aws s3 rb s3://{shared['LakeBucket']}",
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m infra.deploy.deployment", description="Deploy to AWS."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for command in ("up", "down"):
        each = commands.add_parser(command)
        each.add_argument("--stack", default="roomgate", help="prefix of all names")
        if command == "down":
            gone = "delete the shared stack and the lake's too"
            each.add_argument("--data", action="store_true", help=gone)
            continue
        packaging.options(each)
        for option, (parameter, purpose) in _OPTIONS.items():
            each.add_argument(option, dest=parameter, metavar=parameter, help=purpose)
    return parser


def _say(text: str) -> None:
    print(text, flush=True)


def check_days(chosen: Mapping[str, str]) -> None:
    """Refuse to keep reports for longer than the rosters that they are written beside.

    A roster may be half as old as the history when a report is written beside it.

    Raises:
        InfraError: the days that are chosen don't go together; what is not a number, AWS refuses.
    """
    reports = chosen.get("ReportDays", str(REPORT_DAYS))
    history = chosen.get("HistoryDays", str(HISTORY_DAYS))
    if reports.isdecimal() and history.isdecimal() and 2 * int(reports) > int(history):
        raise InfraError(
            f"Reports of {reports} days could not be read with a history of {history} days: "
            "--history-days must be twice --report-days at least."
        )


def _run(arguments: argparse.Namespace) -> None:
    cloud = clouds.aws()
    identity = cloud.sts.get_caller_identity()
    _say(f"account {identity['Account']}, region {cloud.session.region_name}, as {identity['Arn']}")
    if arguments.command == "down":
        down(cloud, arguments.stack, _say, data=arguments.data)
        return
    given: dict[str, Any] = vars(arguments)
    chosen = {name: given[name] for name, _ in _OPTIONS.values() if given[name] is not None}
    check_days(chosen)
    bundles = packaging.package(targets.aws(arguments.runtime, arguments.architecture))
    deployed = up(cloud, bundles, arguments.stack, chosen, _say)
    for name, url in deployed.urls.items():
        _say(f"{name:8} {url}")
    _say(f"table    {deployed.table}")
    if deployed.domain_target:
        _say(f"DNS: point the custom domain at {deployed.domain_target}")


def main() -> int:
    """The command line."""
    try:
        _run(_parser().parse_args())
    except (InfraError, BotoCoreError, ClientError) as error:
        print(f"deploying failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
