"""The lake's template: lake.yaml with the columns of the row, and a named query for each SQL file.

python -m infra.deploy.lake     writes build/lake.yaml, which cfn-lint then reads
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from chalicelib.stream.row import COLUMNS
from infra.layout import BUILD, TEMPLATES
from roomgate.analytics.sql import names, query

if TYPE_CHECKING:
    from roomgate.analytics.sql import Query

_TEMPLATE: Final = TEMPLATES / "lake.yaml"
_COLUMNS: Final = "Columns: []"


def lake_template(*, named_queries: bool = True) -> str:
    """The whole template, as YAML.

    Args:
        named_queries: whether it has the named queries.
    """
    queries = map(query, names()) if named_queries else ()
    # JSON is YAML.
    resources = [f"\n  {_logical(each)}: {json.dumps(named_query(each))}\n" for each in queries]
    template = _TEMPLATE.read_text()
    assert template.count(_COLUMNS) == 1
    return template.replace(_COLUMNS, f"Columns: {json.dumps(columns())}") + "".join(resources)


def columns() -> list[dict[str, str]]:
    """The columns of Glue's table, in their order."""
    return [
        {"Name": name, "Type": column.type, "Comment": column.comment}
        for name, column in COLUMNS.items()
    ]


def named_query(found: Query) -> dict[str, Any]:
    """The resource of one query; it runs as it is, about yesterday."""
    return {
        "Type": "AWS::Athena::NamedQuery",
        "Properties": {
            "Name": found.name,
            "Description": found.title,
            "Database": {"Ref": "Database"},
            "WorkGroup": {"Ref": "WorkGroup"},
            "QueryString": found.saved(),
        },
    }


def _logical(found: Query) -> str:
    return "Query" + "".join(word.capitalize() for word in found.name.split("_"))


def main() -> None:
    """The command line."""
    BUILD.mkdir(exist_ok=True)
    (BUILD / "lake.yaml").write_text(lake_template())


if __name__ == "__main__":
    main()
