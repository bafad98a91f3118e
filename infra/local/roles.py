"""What the local AWS's roles lack to allow what AWS's do."""

from __future__ import annotations

import json
from typing import Any, Final

_POLICY: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ssm:GetParametersByPath", "Resource": "*"}],
}


def let_list_parameters(client: Any, roles: list[str]) -> None:
    """Let roles list parameters by path.

    AWS checks ssm:GetParametersByPath on the path, as the templates say; ministack on ``*``.
    """
    for role in roles:
        client.put_role_policy(
            RoleName=role, PolicyName="local", PolicyDocument=json.dumps(_POLICY)
        )
