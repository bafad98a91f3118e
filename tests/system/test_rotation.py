"""Keys that change while the deployed bundle works."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import pytest
import requests
from botocore.exceptions import ClientError

from bench.emulators.loopback import Answer, Asked, Loopback
from chalicelib.keys.versions import Versions, put_candidate, rotation_function_arn
from chalicelib.stores.names import Names
from chalicelib.stores.settings import Probe, Settings
from chalicelib.tickets import load_key, verify_user_sig
from infra.smoke.tenant import new_key
from tests.support.keys import new_secret
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.deploy.cloud import Cloud
    from infra.deploy.deployment import Deployed
    from infra.local.aws import LocalAws
    from tests.system.conftest import Tenant, Tenants

SECONDS = 30
PAUSE = 0.02  # seconds between two calls; the gateway lets 100 a second through
# What EventBridge sends.
TICK = {
    "version": "0",
    "id": "1",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": "000000000000",
    "time": "2026-01-01T00:00:00Z",
    "region": "us-east-1",
    "resources": [],
    "detail": {},
}
RULES: Any = {"AutomaticallyAfterDays": 30}


class Given(NamedTuple):
    """A ticket, and the key that the answer names."""

    key_id: str
    ticket: str


def ticket(deployed: Deployed, tenant: Tenant) -> Given:
    """Ask for a userSig; anything but a ticket fails the test."""
    body = {"sdkAppId": tenant.sdk_app_id, "userId": "alice"}
    url = f"{deployed.urls['issuer']}/v1/user-sigs"
    answer = requests.post(url, headers=tenant.headers, json=body, timeout=SECONDS)
    assert answer.status_code == 200, answer.text
    return Given(answer.json()["keyId"], answer.json()["userSig"])


class Load:
    """Backends that ask for tickets all the time; a context manager."""

    def __init__(self, deployed: Deployed, tenant: Tenant) -> None:
        self._ask: Callable[[], Given] = lambda: ticket(deployed, tenant)
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(2)
        self.given: list[Given] = []

    def __enter__(self) -> Self:
        """Begin."""
        self._backends = [self._pool.submit(self._run) for _ in range(2)]
        return self

    def __exit__(self, *_: object) -> None:
        """End; what any of them met comes out here."""
        self._over.set()
        self._pool.shutdown()
        for backend in self._backends:
            backend.result()

    def _run(self) -> None:
        while not self._over.wait(PAUSE):
            self.given.append(self._ask())

    def await_key(self, key_id: str, count: int = 8) -> None:
        """Wait until so many tickets on end carry a key."""
        until(lambda: {g.key_id for g in self.given[-count:]} == {key_id} or self._failed())

    def _failed(self) -> bool:
        return any(backend.done() for backend in self._backends)


@pytest.fixture
def names(deployed: Deployed) -> Names:
    """Of the stack."""
    return Names(deployed.stack)


@pytest.fixture
def owner(tenants: Tenants) -> Tenant:
    """An application of the test's own."""
    return tenants.new()


def versions(cloud: Cloud, names: Names, tenant: Tenant) -> Versions:
    """An application's versions."""
    return Versions.read(cloud.secretsmanager, names.key(tenant.sdk_app_id))


def look(aws: LocalAws, deployed: Deployed) -> list[dict[str, Any]]:
    """Run the schedule once, let what it started end; what the rotation functions logged."""
    client = aws.cloud.session.client("lambda", endpoint_url=aws.endpoint)
    begin = len(aws.log.read_text())
    name = f"{deployed.stack}-rotation-schedule"
    ran = client.invoke(FunctionName=name, Payload=json.dumps(TICK).encode())
    assert ran.get("FunctionError") is None
    aws.secrets.settle()
    lines = aws.log.read_text()[begin:].splitlines()
    return [json.loads(line) for line in lines if line.startswith('{"timestamp"')]


@pytest.mark.parametrize(
    ("algorithm", "made"),
    [("ECDSA-SHA256", new_key()), ("HMAC-SHA256", new_secret())],
    ids=["ECDSA", "HMAC"],
)
def test_tickets_go_on_while_keys_change(
    deployed: Deployed, tenants: Tenants, owner: Tenant, algorithm: str, made: str
) -> None:
    """Through a rotation and a rollback every call gets a ticket of the key that it names.

    Switching the application from ECDSA to HMAC is a rotation like any other.
    """
    app = str(owner.sdk_app_id)
    new = load_key(algorithm, made)
    keys = {new.key_id: new, owner.key_id: load_key("ECDSA-SHA256", owner.key)}
    eager = tenants.caller(owner.sdk_app_id, "--rate", "10000", "--burst", "10000")
    with Load(deployed, owner._replace(api_key=eager)) as load:
        load.await_key(owner.key_id)
        tenants.operator.run("keys", "import", app, "-", given=made)
        imported = len(load.given)
        changed = tenants.operator.run("keys", "rotate", app)
        load.await_key(new.key_id)
        rotated = len(load.given)
        assert changed["before"]["current"] == owner.key_id
        assert changed["after"] == {"current": new.key_id, "previous": owner.key_id}
        tenants.operator.run("keys", "rollback", app)
        load.await_key(owner.key_id)
    assert {given.key_id for given in load.given[:imported]} == {owner.key_id}
    assert {given.key_id for given in load.given[rotated - 4 : rotated]} == {new.key_id}
    now = int(time.time())
    for given in load.given:
        verify_user_sig(
            given.ticket,
            [keys[given.key_id]],
            sdk_app_id=owner.sdk_app_id,
            user_id="alice",
            now=now,
        )


def test_a_revoked_api_key_stops_within_the_bound_that_is_stated(
    deployed: Deployed, tenants: Tenants, owner: Tenant
) -> None:
    """First the older of two keys, then the caller; until then, and for the other key, it works."""
    name = f"revoked-{owner.sdk_app_id}"
    made = tenants.operator.run("callers", "add", name, "--application", str(owner.sdk_app_id))
    newer = tenants.operator.run("callers", "rotate", name)
    until(lambda: answered(deployed, owner, newer["apiKey"]) == 200)
    for words, api_key in (((name, "--older"), made["apiKey"]), ((name,), newer["apiKey"])):
        assert answered(deployed, owner, api_key) == 200
        revoked = tenants.operator.run("callers", "revoke", *words)
        began = time.monotonic()
        until(lambda: answered(deployed, owner, api_key) == 401)  # noqa: B023 (called at once)
        # A call or two of slack: the machine has other things to do.
        assert time.monotonic() - began < revoked["stopsWithin"] + 2
    assert revoked["stopsWithin"] == 2.3


def answered(deployed: Deployed, tenant: Tenant, api_key: str) -> int:
    """The status of an answer to whoever has an API key."""
    url = f"{deployed.urls['issuer']}/v1/user-sigs"
    body = {"sdkAppId": tenant.sdk_app_id, "userId": "alice"}
    headers = {"Authorization": f"Bearer {api_key}"}
    return requests.post(url, headers=headers, json=body, timeout=SECONDS).status_code


@pytest.fixture
def tencent() -> Iterator[tuple[Loopback, list[int], list[Asked]]]:
    """Whom the probe asks: answers the last number, and keeps what it was asked."""
    codes, asked = [70009], list[Asked]()

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return Answer(200, json.dumps({"ErrorCode": codes[-1]}).encode())

    with Loopback(answer) as server:
        yield server, codes, asked


def test_the_schedule_waits_for_the_probe(
    aws: LocalAws,
    deployed: Deployed,
    names: Names,
    owner: Tenant,
    tencent: tuple[Loopback, list[int], list[Asked]],
) -> None:
    """The candidate counts once Tencent takes it; until then a metric says that it waits."""
    server, codes, asked = tencent
    url = f"http://127.0.0.1:{server.port}/v4/check?id={{userId}}&usersig={{userSig}}"
    settings = Settings(probe=Probe(url, "prober", (0, 70402)))
    aws.cloud.ssm.put_parameter(
        Name=names.settings(owner.sdk_app_id), Value=settings.to_json(), Overwrite=True
    )
    pem = new_key()
    value = json.dumps({"algorithm": "ECDSA-SHA256", "key": pem})
    client = aws.cloud.secretsmanager
    put_candidate(client, versions(aws.cloud, names, owner), value)
    waiting = [line for line in look(aws, deployed) if line.get("sdkAppId") == owner.sdk_app_id]
    assert [(line["RotationWaiting"], line["reason"]) for line in waiting] == [
        (1, "the probe says: ErrorCode 70009")
    ]
    assert versions(aws.cloud, names, owner).pending is None
    codes.append(70402)
    done = [line for line in look(aws, deployed) if line.get("RotationDone")]
    assert [line["secret"] for line in done] == [names.key(owner.sdk_app_id)]
    assert ticket_key(client, names, owner) == load_key("ECDSA-SHA256", pem).key_id
    shown = aws.log.read_text()
    tickets = [request.path.rpartition("usersig=")[2] for request in asked]
    assert len(tickets) >= 2  # Where the session takes long, the schedule has come round by itself.
    assert not any(each[:40] in shown for each in tickets)
    assert not any(request.body != b"{}" for request in asked)


def ticket_key(client: Any, names: Names, tenant: Tenant) -> str:
    """The id of the key that is current."""
    name = names.key(tenant.sdk_app_id)
    found = client.get_secret_value(SecretId=name, VersionStage="AWSCURRENT")
    value = json.loads(found["SecretString"])
    return load_key(value["algorithm"], value["key"]).key_id


def test_a_bad_candidate_stops_where_it_is(
    aws: LocalAws, deployed: Deployed, names: Names, tenants: Tenants, owner: Tenant
) -> None:
    """The rotation fails with the reason, tickets go on, and the operator drops what is left."""
    client = aws.cloud.secretsmanager
    bad = json.dumps({"algorithm": "ECDSA-SHA256", "key": "plainly no key"})
    put_candidate(client, versions(aws.cloud, names, owner), bad)
    failed = [line for line in look(aws, deployed) if line.get("RotationFailed")]
    assert [line["step"] for line in failed] == ["testSecret"]
    assert "can't be used" in failed[0]["reason"]
    assert "plainly no key" not in aws.log.read_text()
    left = versions(aws.cloud, names, owner)
    assert (left.candidate is not None, left.pending is not None) == (True, True)
    waiting = [line for line in look(aws, deployed) if line.get("sdkAppId") == owner.sdk_app_id]
    assert [line.get("RotationWaiting") for line in waiting] == [1]
    assert ticket(deployed, owner).key_id == owner.key_id
    tenants.operator.run("keys", "abort", str(owner.sdk_app_id))
    left = versions(aws.cloud, names, owner)
    assert (left.candidate, left.pending) == (None, None)


def test_report_tokens_outlive_the_rotation_of_their_keys(
    aws: LocalAws, deployed: Deployed, names: Names, owner: Tenant
) -> None:
    """A token from before reports after it, and a new one carries the new key."""
    before = report(deployed, owner)
    client = aws.cloud.secretsmanager
    arn = client.describe_secret(SecretId=names.report_token)["ARN"]
    function_arn = rotation_function_arn(arn, deployed.stack)
    asked: dict[str, Any] = {"SecretId": names.report_token, "RotationLambdaARN": function_arn}
    # First as CloudFormation's schedule may: only testSecret, and nothing changes.
    client.rotate_secret(**asked, RotationRules=RULES, RotateImmediately=False)
    aws.secrets.settle()
    assert report_kid(report(deployed, owner)) == report_kid(before)
    assert Versions.labels(client, names.report_token).pending is None
    client.rotate_secret(**asked, RotationRules=RULES)
    aws.secrets.settle()
    until(lambda: report_kid(report(deployed, owner)) != report_kid(before))
    for seq, each in enumerate((before, report(deployed, owner))):
        stored = requests.post(
            each["url"],
            headers={"Authorization": f"Bearer {each['token']}"},
            json={"seq": seq, "userlist": []},
            timeout=SECONDS,
        )
        assert stored.status_code == 200, stored.text


def report(deployed: Deployed, tenant: Tenant) -> Any:
    """What an entry says of reporting."""
    body = {"sdkAppId": tenant.sdk_app_id, "userId": "alice", "roomId": 7}
    url = f"{deployed.urls['issuer']}/v1/entries"
    return requests.post(url, headers=tenant.headers, json=body, timeout=SECONDS).json()["report"]


def report_kid(said: Any) -> str:
    """The header of a report token, which names its key."""
    token: str = said["token"]
    return token.partition(".")[0]


def test_nobody_but_secrets_manager_may_invoke_the_steps(
    aws: LocalAws, deployed: Deployed, names: Names, owner: Tenant
) -> None:
    """And it only for this account; a function that does not let it in rotates nothing."""
    client = aws.cloud.session.client("lambda", endpoint_url=aws.endpoint)
    policy = json.loads(client.get_policy(FunctionName=f"{deployed.stack}-rotation")["Policy"])
    (statement,) = policy["Statement"]
    assert statement["Principal"] == {"Service": "secretsmanager.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"AWS:SourceAccount": "000000000000"}}
    before = versions(aws.cloud, names, owner)
    other = rotation_function_arn(before.arn, deployed.stack) + "-schedule"
    with pytest.raises(ClientError) as refused:
        aws.cloud.secretsmanager.rotate_secret(
            SecretId=before.arn, RotationLambdaARN=other, RotationRules=RULES
        )
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert versions(aws.cloud, names, owner) == before


def test_roles_hold_on_secrets_manager_too(
    aws: LocalAws, deployed: Deployed, names: Names, owner: Tenant
) -> None:
    """The stand-in refuses what the local AWS's roles do not allow."""
    role = f"arn:aws:iam::000000000000:role/{deployed.stack}-issuer-us-east-1"
    taken = aws.cloud.sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    issuer = aws.cloud.session.client(
        "secretsmanager",
        endpoint_url=aws.secrets.url,
        aws_access_key_id=taken["AccessKeyId"],
        aws_secret_access_key=taken["SecretAccessKey"],
        aws_session_token=taken["SessionToken"],
    )
    name = names.key(owner.sdk_app_id)
    assert issuer.get_secret_value(SecretId=name)["Name"] == name
    with pytest.raises(ClientError) as refused:
        issuer.put_secret_value(SecretId=name, SecretString="x", VersionStages=["NEXT"])
    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
