"""The alarms of each function's stack, made here so that six of them are not a hundred lines.

Every alarm's description names the section of docs/runbook.md that says what to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chalicelib.api.log import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.layout import Function

RUNBOOK: Final = "docs/runbook.md"
MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400

# The section of the runbook for runs that end with an error, of functions without an API.
_FAULTS: Final = {
    "exporter": "lake-behind",
    "keeper": "keeper-behind",
    "rotation": "rotation-failed",
}


class Alarm(NamedTuple):
    """One alarm.

    Attributes:
        says: what is the matter, a sentence.
        section: of the runbook.
        metric: namespace, name and dimensions.
        statistic: of each period.
        above: the alarm goes off at values above this.
        period: seconds.
        periods: so many in a row must be above.
        missing: what a period without any value counts as.
    """

    says: str
    section: str
    metric: tuple[str, str, Mapping[str, Any]]
    statistic: str
    above: float
    period: int = 5 * MINUTE
    periods: int = 1
    missing: str = "notBreaching"


def alarms(function: Function, resources: Mapping[str, Any]) -> dict[str, Any]:
    """What a function's template has of alarms: parameters, condition, resources.

    Args:
        function: which.
        resources: the template's, which know how long each of its Lambdas may take.
    """
    name = function.name
    rows = _https(name) if function.http else {}
    for handler in function.handlers:
        timeout = resources[handler]["Properties"]["Timeout"]
        own = "" if handler == function.handlers[0] else handler
        rows |= {f"{own}{row}": alarm for row, alarm in _lambda(handler, timeout).items()}
        if not function.http:
            rows[f"{own}Errors"] = _faults(handler, _FAULTS[name])
    rows |= _keys() if name == "issuer" else {}
    rows |= _rotation() if name == "rotation" else {}
    rows |= _keeper() if name == "keeper" else {}
    rows |= _exporter() if name == "exporter" else {}
    made = {f"Alarm{row}": _resource(f"{name}-{row}", alarm) for row, alarm in rows.items()}
    parameters: dict[str, Any] = {
        "AlarmTopicArn": {
            "Type": "String",
            "Default": "",
            "Description": "SNS topic that the alarms tell, empty for none",
        }
    }
    has_topic = {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]}
    conditions: dict[str, Any] = {"HasAlarmTopic": has_topic}
    if name == "issuer":
        made["AlarmKeyAge"] = {**_key_age(), "Condition": "HasKeyMaxAge"}
        parameters["KeyMaxAgeDays"] = {
            "Type": "Number",
            "Default": 180,
            "MinValue": 0,
            "Description": "Days after which a signing key is due for rotation, 0 for no alarm",
        }
        conditions["HasKeyMaxAge"] = {"Fn::Not": [{"Fn::Equals": [{"Ref": "KeyMaxAgeDays"}, 0]}]}
    return {
        "Parameters": parameters,
        "Conditions": conditions,
        "Resources": made,
    }


def _https(name: str) -> dict[str, Alarm]:
    api = {"ApiName": {"Fn::Sub": f"${{Stack}}-{name}"}, "Stage": "api"}
    return {
        "Errors": Alarm(
            "More than 1 % of the answers are 5xx.",
            "errors",
            ("AWS/ApiGateway", "5XXError", api),
            "Average",
            0.01,
            MINUTE,
            periods=3,
        ),
        "Store": Alarm(
            "A store or KMS does not answer, refuses, or answers with garbage.",
            "store-down",
            (NAMESPACE, "StoreFailures", _ours(name)),
            "Sum",
            5,
        ),
    }


def _lambda(handler: str, timeout: int) -> dict[str, Alarm]:
    function = {"FunctionName": {"Ref": handler}}
    return {
        "Throttles": Alarm(
            "Lambda turns calls away for want of concurrency.",
            "throttled",
            ("AWS/Lambda", "Throttles", function),
            "Sum",
            0,
        ),
        "Latency": Alarm(
            "A call took more than 80 % of the function's timeout.",
            "slow",
            ("AWS/Lambda", "Duration", function),
            "Maximum",
            timeout * 1000 * 8 // 10,
        ),
    }


def _faults(handler: str, section: str) -> Alarm:
    return Alarm(
        "A run ended with an error.",
        section,
        ("AWS/Lambda", "Errors", {"FunctionName": {"Ref": handler}}),
        "Sum",
        0,
    )


def _keys() -> dict[str, Alarm]:
    refused = _ours("issuer") | {"reason": "no-signing-key"}
    return {
        "NoKey": Alarm(
            "Tickets are refused since an application has no usable key.",
            "no-key",
            (NAMESPACE, "TicketsRefused", refused),
            "Sum",
            0,
        )
    }


def _rotation() -> dict[str, Alarm]:
    return {
        "Failed": Alarm(
            "A rotation failed; the key before it goes on signing.",
            "rotation-failed",
            (NAMESPACE, "RotationFailed", _ours("rotation")),
            "Sum",
            0,
        )
    }


def _keeper() -> dict[str, Alarm]:
    ours = _ours("keeper")
    return {
        "IteratorAge": Alarm(
            "Keeper is a quarter of an hour behind the event table, whose stream forgets in a day.",
            "keeper-behind",
            ("AWS/Lambda", "IteratorAge", {"FunctionName": {"Ref": "Keeper"}}),
            "Maximum",
            15 * MINUTE * 1000,
        ),
        "Poison": Alarm(
            "Something in the event table can be neither folded nor written into sessions.",
            "keeper-quarantine",
            (NAMESPACE, "RecordsQuarantined", ours),
            "Sum",
            0,
        ),
        **_given_up(
            "keeper-quarantine",
            "Keeper was given up on, with records that it has not worked off.",
            "Records were given up that keeper has not worked off, and are kept nowhere.",
        ),
        # A sweeper that does not run says nothing.
        "SweepLag": Alarm(
            "Rooms in which something is due have waited for more than five minutes.",
            "sweeper-behind",
            (NAMESPACE, "SweepLag", ours),
            "Maximum",
            5 * MINUTE,
            missing="breaching",
        ),
        "SweepFailures": Alarm(
            "Rooms cannot be settled, or not be found.",
            "sweeper-behind",
            (NAMESPACE, "SweepFailures", ours),
            "Sum",
            0,
            periods=3,
        ),
    }


def _exporter() -> dict[str, Alarm]:
    lake = {"DeliveryStreamName": {"Ref": "LakeStreamName"}}
    return {
        "IteratorAge": Alarm(
            "The lake is half an hour behind the event table, whose stream forgets after a day.",
            "lake-behind",
            ("AWS/Lambda", "IteratorAge", {"FunctionName": {"Ref": "Exporter"}}),
            "Maximum",
            30 * MINUTE * 1000,
        ),
        "Failed": Alarm(
            "Firehose does not take rows; the stream brings them again.",
            "lake-behind",
            (NAMESPACE, "RowsFailed", _ours("exporter")),
            "Sum",
            0,
            periods=3,
        ),
        "Poison": Alarm(
            "Something in the event table makes no row of the lake.",
            "lake-quarantine",
            (NAMESPACE, "RowsQuarantined", _ours("exporter")),
            "Sum",
            0,
        ),
        **_given_up(
            "lake-quarantine",
            "The exporter was given up on, with changes that are not in the lake.",
            "Changes were given up and are nowhere but in the event table.",
        ),
        "Conversion": Alarm(
            "Firehose cannot write rows as the lake's table has them.",
            "lake-errors",
            ("AWS/Firehose", "FailedConversion.Records", lake),
            "Sum",
            0,
        ),
        "Freshness": Alarm(
            "What Firehose has is an hour old and not in the lake.",
            "lake-errors",
            ("AWS/Firehose", "DeliveryToS3.DataFreshness", lake),
            "Maximum",
            HOUR,
        ),
    }


def _given_up(section: str, kept: str, dropped: str) -> dict[str, Alarm]:
    """What a stream's mapping gave up on: put into the quarantine, or into nothing."""
    mapping = {"EventSourceMappingUUID": {"Ref": "Mapping"}}
    metrics = {
        "OnFailure": (kept, "OnFailureDestinationDeliveredEventCount"),
        "Dropped": (dropped, "DroppedEventCount"),
    }
    return {
        name: Alarm(says, section, ("AWS/Lambda", metric, mapping), "Sum", 0)
        for name, (says, metric) in metrics.items()
    }


def _ours(function: str) -> dict[str, Any]:
    return {"stack": {"Ref": "Stack"}, "function": function}


def _resource(name: str, alarm: Alarm) -> dict[str, Any]:
    namespace, metric, dimensions = alarm.metric
    properties = {
        "Threshold": alarm.above,
        "EvaluationPeriods": alarm.periods,
        "TreatMissingData": alarm.missing,
        "Namespace": namespace,
        "MetricName": metric,
        "Dimensions": _dimensions(dimensions),
        "Statistic": alarm.statistic,
        "Period": alarm.period,
    }
    return _alarm(name, alarm.says, alarm.section, properties)


def _key_age() -> dict[str, Any]:
    """An application's key is older than its interval; the metric has seconds, we count in days."""
    metric = {
        "Namespace": NAMESPACE,
        "MetricName": "KeyAge",
        "Dimensions": _dimensions(_ours("issuer")),
    }
    stat = {"Metric": metric, "Period": HOUR, "Stat": "Maximum"}
    properties = {
        "Threshold": {"Ref": "KeyMaxAgeDays"},
        "EvaluationPeriods": 1,
        "TreatMissingData": "ignore",  # A night without calls makes no key younger.
        "Metrics": [
            {"Id": "days", "Expression": f"age / {DAY}", "Label": "Key age in days"},
            {"Id": "age", "MetricStat": stat, "ReturnData": False},
        ],
    }
    return _alarm("issuer-KeyAge", "A signing key is due for rotation.", "old-key", properties)


def _alarm(name: str, says: str, section: str, properties: dict[str, Any]) -> dict[str, Any]:
    tell = {"Fn::If": ["HasAlarmTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    properties |= {
        "AlarmName": {"Fn::Sub": f"${{Stack}}-{name}"},
        "AlarmDescription": f"{says} What to do: {RUNBOOK}#{section}",
        "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": tell,
        "OKActions": tell,
    }
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": properties}


def _dimensions(dimensions: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"Name": name, "Value": value} for name, value in dimensions.items()]
