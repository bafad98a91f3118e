"""The checks of ``roomgate doctor``. All of them only read."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from chalicelib.keys.watch import STUCK_SECONDS
from chalicelib.stores.stored import BadStoredValue
from roomgate.commands.callbacks import callback_keys_of
from roomgate.commands.callers import CallerStore
from roomgate.commands.output import span, when
from roomgate.commands.relays import relays_of
from roomgate.commands.session import DEFAULT_STACK
from roomgate.operator.api import Api
from roomgate.operator.applications import ApplicationStore, allowing
from roomgate.operator.deployed import HTTPS, STACKS, Stack, stack_of, url_of
from roomgate.operator.errors import NO_REGION, OperatorError, code_of
from roomgate.operator.findings import FIX, LOOK, OK, Finding
from roomgate.operator.keystore import KeyStore
from roomgate.operator.signing_secrets import MOST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from chalicelib.auth.caller import Caller
    from chalicelib.stores.settings import Settings
    from roomgate.commands.session import Session
    from roomgate.operator.keystore import ApplicationKeys
    from roomgate.operator.signing_secrets import SigningSecrets, Stored

_DAY: Final = 86_400
_CLOCK_LOOK: Final = 5.0  # seconds
_CLOCK_FIX: Final = 60.0  # seconds; a ticket of an issuer further ahead is not valid yet
_KEY_MAX_AGE_DAYS: Final = 180
_ENDS_SOON: Final = 14 * _DAY
_READY: Final = 200
_NOT_READY: Final = 503
_DENIED: Final = ("AccessDenied", "AccessDeniedException")
_OUTPUTS: Final = {"shared": ("KeyArn", "TableName")}


def configuration(session: Session) -> Iterator[Finding]:
    """Which stack in which region, and whether that is AWS or a local one."""
    region = session.boto.region_name
    if not region:
        yield Finding("configuration", FIX, "There is no AWS region.", NO_REGION)
        return
    endpoint = session.sts.meta.endpoint_url
    where = "AWS" if ".amazonaws." in endpoint else f"the AWS at {endpoint}"
    yield Finding("configuration", OK, f"Stack {session.stack} in {region}, on {where}.")


def credentials(session: Session) -> Iterator[Finding]:
    """Who is asking; the same answer tells AWS's time."""
    answer = session.sts.get_caller_identity()
    received = time.time()
    yield Finding("credentials", OK, f"Account {answer['Account']}, as {answer['Arn']}.")
    headers = answer["ResponseMetadata"].get("HTTPHeaders", {})
    yield clock(headers.get("date"), received)


def clock(date: str | None, received: float) -> Finding:
    """This machine's clock against the Date header of an answer.

    Args:
        date: the header, or None.
        received: unix time in seconds at which the answer came.
    """
    try:
        theirs = parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return Finding("clock", LOOK, "The answer of AWS had no Date to compare with.")
    off = received - theirs
    said = f"This machine's clock is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} AWS's."
    todo = "Let it be set from the network: timedatectl set-ntp true"
    if abs(off) > _CLOCK_FIX:
        return Finding("clock", FIX, f"{said} AWS refuses requests from 300 s on.", todo)
    if abs(off) > _CLOCK_LOOK:
        return Finding("clock", LOOK, said, todo)
    return Finding("clock", OK, "This machine's clock agrees with AWS's.")


def stacks(session: Session, found: dict[str, Stack]) -> Iterator[Finding]:
    """The stacks and their outputs; those that are there are put into ``found``."""
    for part in STACKS:
        stack, name = stack_of(session, part), f"{session.stack}-{part}"
        if stack is None:
            yield Finding("stacks", FIX, f"Stack {name} is not deployed here.", _deploy(session))
            continue
        found[part] = stack
        yield _stack(session, name, part, stack)


def _stack(session: Session, name: str, part: str, stack: Stack) -> Finding:
    if stack.status.endswith("_IN_PROGRESS"):
        return Finding("stacks", LOOK, f"Stack {name} is being changed ({stack.status}).")
    if stack.status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        todo = f"See its events in CloudFormation, mend what they say, then: {_deploy(session)}"
        return Finding("stacks", FIX, f"Stack {name} is in state {stack.status}.", todo)
    missing = [output for output in _OUTPUTS.get(part, ()) if output not in stack.outputs]
    if part in HTTPS and url_of(session, stack.outputs) is None:
        missing.append("Url")
    if missing:
        said = f"Stack {name} lacks the outputs {', '.join(missing)}."
        return Finding("stacks", FIX, said, f"Deploy this version: {_deploy(session)}")
    return Finding("stacks", OK, f"Stack {name} is deployed.")


def _deploy(session: Session) -> str:
    named = session.stack != DEFAULT_STACK
    return f'make deploy ARGS="--stack {session.stack}"' if named else "make deploy"


def permissions(session: Session) -> Iterator[Finding]:
    """Whether the operator's permissions suffice, by calls that only read."""
    names = session.names
    asked: dict[str, Callable[[], Any]] = {
        "ssm:GetParametersByPath (applications)": lambda: session.ssm.get_parameters_by_path(
            Path=names.applications
        ),
        "ssm:GetParametersByPath (callers)": lambda: session.ssm.get_parameters_by_path(
            Path=names.callers
        ),
        "secretsmanager:DescribeSecret": lambda: session.secretsmanager.describe_secret(
            SecretId=names.key(1)
        ),
        "secretsmanager:GetSecretValue": lambda: session.secretsmanager.get_secret_value(
            SecretId=names.key(1)
        ),
        # DryRun: Lambda looks whether it may be invoked, and invokes nothing.
        "lambda:InvokeFunction (rotation)": lambda: session.awslambda.invoke(
            FunctionName=f"{session.stack}-rotation", InvocationType="DryRun"
        ),
    }
    denied = [action for action, call in asked.items() if not _allowed(call)]
    for action in denied:
        todo = "Ask for the stack's policy for operators (docs/operations.md, Permissions)."
        yield Finding("permissions", FIX, f"You may not {action}.", todo)
    if not denied:
        yield Finding("permissions", OK, "You may read applications, callers and keys, and rotate.")


def _allowed(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ClientError as error:
        if code_of(error) in _DENIED:
            return False
        if not code_of(error).endswith(("NotFound", "NotFoundException")):
            raise
    return True


def keys(session: Session, found: Mapping[str, Stack], now: float) -> Iterator[Finding]:
    """Each application has settings that can be read, and a key that signs and is young enough.

    Args:
        session: whose stack and account are looked at.
        found: the stacks that are there; the issuer's says how old a key may become.
        now: unix time in seconds.
    """
    store = KeyStore(session)
    applications = ApplicationStore(session).all()
    if not applications:
        todo = "roomgate apps add SDK_APP_ID"
        yield Finding("keys", FIX, "There are no applications yet.", todo)
    issuer = found.get("issuer")
    days = issuer.parameters.get("KeyMaxAgeDays") if issuer else None
    most = int(_KEY_MAX_AGE_DAYS if days is None else days) * _DAY
    for app, settings in applications.items():
        its = store.find(app)
        yield from _application(app, settings, its, session.names.settings(app))
        current = its.of("current") if its else None
        if its and current and not isinstance(settings, BadStoredValue):
            if current.key:
                yield _age(app, current.key_id, now - (current.version.created or now), most)
            yield from _under_way(app, its, now)


def _application(
    app: int,
    settings: Settings | BadStoredValue,
    its: ApplicationKeys | None,
    parameter: str,
) -> Iterator[Finding]:
    if isinstance(settings, BadStoredValue):
        fault = (
            f"The settings of application {app} (parameter {parameter}) can't be read: {settings}."
        )
        todo = f"Put that member right, or delete the parameter, then: roomgate apps add {app}"
        yield Finding("keys", FIX, fault, todo)
        return
    current = its.of("current") if its else None
    if its is None or current is None:
        todo = f"roomgate keys import {app} FILE"
        yield Finding("keys", FIX, f"Application {app} has no key.", todo)
        return
    for stored in its.keys:
        if stored.fault and stored.state != "pending":
            said = f"The {stored.state} key of application {app} can't be used: {stored.fault}."
            yield _unusable(its, stored.state, said)
    if current.key and current.key.algorithm not in settings.algorithms:
        said = f"Application {app} signs with {current.key.algorithm}, which its settings forbid."
        todo = allowing(app, settings.algorithms, current.key.algorithm)
        yield Finding("keys", FIX, said, todo)


def _unusable(its: ApplicationKeys, state: str, said: str) -> Finding:
    if state == "previous":  # As a rollback leaves it.
        return Finding("keys", LOOK, said, "Nothing signs with it; the next rotation replaces it.")
    todo = f"roomgate keys abort {its.sdk_app_id}" if state == "candidate" else its.way_back
    return Finding("keys", FIX, said, todo)


def _age(app: int, key_id: str, age: float, most: float) -> Finding:
    said = f"Application {app} signs with {key_id}, {span(age)} old."
    if 0 < most < age:
        todo = (
            f"Rotate: take a new key from Tencent's console, then roomgate keys import {app} FILE"
        )
        return Finding("keys", FIX, f"{said} Its interval is {span(most)}.", todo)
    return Finding("keys", OK, said)


def _under_way(app: int, its: ApplicationKeys, now: float) -> Iterator[Finding]:
    pending, candidate = its.of("pending"), its.of("candidate")
    if pending:
        made = pending.version.created
        if made is None or now - made > STUCK_SECONDS:
            said = f"A rotation of application {app} is stuck."
            todo = f"roomgate keys abort {app}, then import the key again (docs/runbook.md)"
            yield Finding("keys", FIX, said, todo)
        else:
            yield Finding("keys", LOOK, f"A rotation of application {app} is under way.")
    elif candidate and not candidate.fault:
        said = f"Application {app} has the candidate {candidate.key_id}."
        yield Finding("keys", LOOK, said, f"Once Tencent takes it: roomgate keys rotate {app}")


def report_tokens(session: Session) -> Iterator[Finding]:
    """The secret that signs report tokens has a value."""
    client, name = session.secretsmanager, session.names.report_token
    try:
        described = client.describe_secret(SecretId=name)
    except client.exceptions.ResourceNotFoundException:
        said = f"The secret {name} is not there."
        yield Finding("report tokens", FIX, said, _deploy(session))
        return
    labels = [label for each in described.get("VersionIdsToStages", {}).values() for label in each]
    if "AWSCURRENT" not in labels:
        said = f"The secret {name} has no value, so nobody can enter or report."
        yield Finding("report tokens", FIX, said, f"{_deploy(session)} (it puts the first one)")
    else:
        yield Finding("report tokens", OK, "There is a key for report tokens.")


def callers(session: Session, now: float) -> Iterator[Finding]:
    """Backends that may call, and whose keys end, or are two; ``now`` is unix time in seconds."""
    stored = CallerStore(session).all()
    found = {
        caller_id: caller
        for caller_id, caller in stored.items()
        if isinstance(caller, BadStoredValue) or not caller.is_revoked
    }
    if not found:
        todo = "roomgate callers add CALLER_ID"
        yield Finding("callers", FIX, "No backend may call yet.", todo)
    troubled = [
        finding
        for caller_id, caller in found.items()
        for finding in _caller(caller_id, caller, session.names.caller(caller_id), now)
    ]
    yield from troubled
    if found and not troubled:
        yield Finding("callers", OK, f"{len(found)} backend(s) may call.")


def _caller(
    caller_id: str, caller: Caller | BadStoredValue, parameter: str, now: float
) -> Iterator[Finding]:
    if isinstance(caller, BadStoredValue):
        fault = f"Caller {caller_id} (parameter {parameter}) can't be read: {caller}."
        todo = f"Put that member right, or: roomgate callers revoke {caller_id}, then add it anew"
        yield Finding("callers", FIX, fault, todo)
        return
    if len(caller.hashes) > 1:
        todo = f"Once only the newer is used: roomgate callers revoke {caller_id} --older"
        yield Finding("callers", LOOK, f"Caller {caller_id} has two API keys.", todo)
    if caller.ends is not None and caller.ends <= now:
        todo = f"roomgate callers revoke {caller_id}"
        yield Finding("callers", LOOK, f"Caller {caller_id} has ended.", todo)
    elif caller.ends is not None and caller.ends - now < _ENDS_SOON:
        said = f"Caller {caller_id} ends at {when(caller.ends)}."
        todo = "Make its successor: roomgate callers add"
        yield Finding("callers", LOOK, said, todo)


def signers(session: Session) -> Iterator[Finding]:
    """Relays, and applications whose callbacks are taken: what they sign with can be read."""
    found = [
        finding
        for kind in (relays_of(session), callback_keys_of(session))
        for signer_id, stored in kind.all().items()
        for finding in _signer(kind, signer_id, stored)
    ]
    yield from found
    if not found:
        yield Finding("signers", OK, "What relays and Tencent sign with is in order.")


def _signer(kind: SigningSecrets[Any], signer_id: str, stored: Stored[Any]) -> Iterator[Finding]:
    named, group, add = kind.named(signer_id), kind.kind.group, kind.kind.add
    if stored.signer is None:
        said = f"{named} (secret {kind.kind.prefix}{signer_id}) can't be read: {stored.fault}."
        todo = f"roomgate {group} revoke {signer_id}, then: roomgate {group} {add} {signer_id}"
        yield Finding("signers", FIX, said, todo)
    elif kind.kind.held(stored.signer) == MOST:
        said = f"{named}: there are two."
        todo = f"Once only the newer is used: roomgate {group} revoke {signer_id} --older"
        yield Finding("signers", LOOK, said, todo)


def reachability(session: Session, found: Mapping[str, Stack]) -> Iterator[Finding]:
    """Whether each function answers, from here."""
    for part in HTTPS:
        url = url_of(session, found[part].outputs) if part in found else None
        if url:
            yield _reached(part, url)


def _reached(part: str, url: str) -> Finding:
    try:
        status, answer = Api(url).ready()
    except OperatorError as error:
        return Finding("reachability", FIX, f"{part} does not answer.", error.message)
    if status == _READY:
        return Finding("reachability", OK, f"{part} is ready at {url}.")
    if status == _NOT_READY and answer:
        said = f"{part} answers at {url}, but is not ready."
        todo = "If this stays so after a first call, see its log and docs/runbook.md."
        return Finding("reachability", LOOK, said, todo)
    todo = f"Is the domain's DNS record right? See the log of {part}."
    return Finding("reachability", FIX, f"{url}/readyz answered {status}.", todo)
