"""click's groups and commands, with what all of Roomgate's share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from roomgate.operator.errors import OperatorError, explained

if TYPE_CHECKING:
    from collections.abc import Sequence


def _as_json(context: click.Context, _option: click.Parameter, value: bool) -> None:  # noqa: FBT001 (click calls it so)
    if value:
        context.obj.output.as_json = True


class Command(click.Command):
    """A command; takes --json behind its name too, where people look for it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        option = click.Option(
            ["--json"],
            is_flag=True,
            expose_value=False,
            callback=_as_json,
            help="Answer in JSON, for scripts.",
        )
        self.params.append(option)


class Group(click.Group):
    """A group of commands; AWS's errors, wherever they come from, are explained here.

    Args:
        arguments: of click.Group.
        examples: for its --help: each a command line, and what it does.
        named: as ``arguments``.

    Attributes:
        examples: likewise.
    """

    command_class = Command
    group_class = type

    def __init__(
        self, *arguments: Any, examples: Sequence[tuple[str, str]] = (), **named: Any
    ) -> None:
        super().__init__(*arguments, **named)
        self.examples = tuple(examples)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples, each with what it does above it."""
        super().format_epilog(ctx, formatter)
        if not self.examples:
            return
        with formatter.section("Examples"):
            for line, does in self.examples:
                formatter.write(f"  # {does}\n  {line}\n")

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; raises OperatorError for what botocore or the event table raises."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            said = explained(error)
            if said is None:
                raise
            raise OperatorError(said) from None
