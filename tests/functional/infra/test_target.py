from __future__ import annotations

import platform
import sys
from typing import TYPE_CHECKING

import pytest

from infra.layout import InfraError
from infra.package import target
from infra.package.wheels import check_tags

if TYPE_CHECKING:
    from pathlib import Path


def _installed(folder: Path, *tags: str) -> Path:
    info = folder / "thing-1.0.dist-info"
    info.mkdir()
    lines = ["Wheel-Version: 1.0", *(f"Tag: {tag}" for tag in tags)]
    (info / "WHEEL").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize(
    "tag",
    [
        "py3-none-any",
        "py2.py3-none-any",
        "cp313-cp313-manylinux_2_28_aarch64",
        "cp311-abi3-manylinux_2_34_aarch64",
        "cp313-cp313-manylinux_2_17_aarch64.manylinux2014_aarch64",
    ],
)
def test_a_wheel_that_the_runtime_can_load_is_taken(tmp_path: Path, tag: str) -> None:
    """Pure wheels, native ones up to the runtime's glibc, and an older stable ABI fit."""
    check_tags(_installed(tmp_path, tag), target.aws())


@pytest.mark.parametrize(
    ("tag", "why"),
    [
        ("cp313-cp313-manylinux_2_28_x86_64", "another architecture"),
        ("cp312-cp312-manylinux_2_28_aarch64", "another Python"),
        ("cp314-abi3-manylinux_2_28_aarch64", "the stable ABI of a newer Python"),
        ("cp313-cp313-manylinux_2_39_aarch64", "a newer glibc"),
        ("cp313-cp313-musllinux_1_2_aarch64", "another libc"),
        ("cp313-cp313-macosx_11_0_arm64", "another system"),
    ],
)
def test_a_wheel_that_the_runtime_cannot_load_is_refused(
    tmp_path: Path, tag: str, why: str
) -> None:
    """The refusal names the wheel, its tag and the target."""
    with pytest.raises(InfraError, match=r"thing-1\.0 .* does not fit python3\.13 on arm64") as no:
        check_tags(_installed(tmp_path, tag), target.aws())
    assert tag in str(no.value), why


def test_one_fitting_tag_of_several_is_enough(tmp_path: Path) -> None:
    """A wheel may be built for several platforms at once."""
    tags = ("cp313-cp313-manylinux_2_28_x86_64", "cp313-cp313-manylinux_2_28_aarch64")
    check_tags(_installed(tmp_path, *tags), target.aws())


def test_amazon_linux_2_runtimes_get_older_wheels(tmp_path: Path) -> None:
    """Python 3.11 runs on Amazon Linux 2, whose glibc is 2.26."""
    wanted = target.aws("python3.11", "x86_64")
    assert "x86_64-manylinux2014" in wanted.uv_options
    with pytest.raises(InfraError):
        check_tags(_installed(tmp_path, "cp311-abi3-manylinux_2_28_x86_64"), wanted)


def test_aws_default_is_python_3_13_on_arm64() -> None:
    """The default target is the one that the README names."""
    wanted = target.aws()
    assert wanted[:3] == ("aws", "python3.13", "arm64")
    assert wanted.uv_options == [
        "--python-platform",
        "aarch64-manylinux_2_34",
        "--python-version",
        "3.13",
    ]


def test_only_lambda_architectures_are_taken() -> None:
    """An architecture that Lambda does not have is refused with those that it has."""
    with pytest.raises(InfraError, match="arm64 or x86_64"):
        target.aws(architecture="riscv64")


def test_the_local_target_is_this_interpreter() -> None:
    """The local AWS runs functions on this interpreter, so its bundle can be imported here."""
    here = target.local()
    assert here.runs_here
    assert here.version == sys.version_info[:2]
    assert here.uv_options == ["--python", sys.executable]


def test_a_bundle_for_another_machine_cannot_be_imported_here() -> None:
    """At most one of Lambda's two architectures is this host's."""
    here = f"python{sys.version_info.major}.{sys.version_info.minor}"
    fits = [each for each in ("arm64", "x86_64") if target.aws(here, each).runs_here]
    expected = {"x86_64": ["x86_64"], "aarch64": ["arm64"]}
    assert fits == (expected[platform.machine()] if sys.platform == "linux" else [])
