"""Compiles the kernel of the engine where there is a C compiler; without one numpy does its work, more slowly."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("src/rlscale/inference/backend")
FLAGS = ("-O3", "-std=gnu11", "-fPIC", "-shared", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi")


class KernelHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds ``kernel.so`` to a wheel of this platform, or beside its source for an editable one."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build it before the wheel is put together."""
        folder = Path(self.root) / FOLDER
        library = folder / "kernel.so"
        if not compiled(folder / "kernel.c", library) or version == "editable":
            return
        build_data["pure_python"] = False
        # a plain library, of no Python version in particular
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
        build_data["force_include"][str(library)] = "rlscale/inference/backend/kernel.so"


def compiled(source: Path, library: Path) -> bool:
    """Compile ``source``; say on stderr why where that cannot be done."""
    command = [*shlex.split(os.environ.get("CC", "cc")), *FLAGS, "-o", str(library), str(source), "-lm"]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:
        reason = str(error)
    else:
        if done.returncode == 0:
            return True
        reason = done.stderr.strip()
    library.unlink(missing_ok=True)
    print(f"rlscale: the kernel was not compiled, numpy takes its place: {reason}", file=sys.stderr)
    return False
