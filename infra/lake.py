"""The lake's template: infra/lake.yaml, and a named query for each file of infra/analytics.

    python -m infra.lake     writes build/lake.yaml, which cfn-lint then reads

A file's name is the query's, and the comment that it begins with is its description.
"""

from __future__ import annotations

import json
from itertools import takewhile
from typing import TYPE_CHECKING, Any, Final

from infra.layout import BUILD, ROOT

if TYPE_CHECKING:
    from pathlib import Path

QUERIES: Final = ROOT / "infra" / "analytics"
_TEMPLATE: Final = ROOT / "infra" / "lake.yaml"
_LONGEST_DESCRIPTION: Final = 1024  # characters, as CloudFormation's reference of NamedQuery says


def lake_template(folder: Path = QUERIES, *, named_queries: bool = True) -> str:
    """The whole template, as YAML.

    Args:
        folder: where the SQL files are.
        named_queries: whether they become named queries.
    """
    files = sorted(folder.glob("*.sql")) if named_queries else []
    # JSON is YAML.
    resources = [f"\n  {_logical(path)}: {json.dumps(named_query(path))}\n" for path in files]
    return _TEMPLATE.read_text() + "".join(resources)


def named_query(path: Path) -> dict[str, Any]:
    """The resource of one SQL file."""
    sql = path.read_text()
    comment = takewhile(lambda line: line.startswith("--"), sql.splitlines())
    says = " ".join(line.removeprefix("--").strip() for line in comment)
    return {
        "Type": "AWS::Athena::NamedQuery",
        "Properties": {
            "Name": path.stem,
            "Description": says[:_LONGEST_DESCRIPTION],
            "Database": {"Ref": "Database"},
            "WorkGroup": {"Ref": "WorkGroup"},
            "QueryString": sql,
        },
    }


def _logical(path: Path) -> str:
    return "Query" + "".join(word.capitalize() for word in path.stem.replace("-", "_").split("_"))


def main() -> None:
    """The command line."""
    BUILD.mkdir(exist_ok=True)
    (BUILD / "lake.yaml").write_text(lake_template())


if __name__ == "__main__":
    main()
