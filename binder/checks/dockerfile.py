"""The Dockerfile that Binder would build from: printed, and its steps checked, without Docker.

    python binder/checks/dockerfile.py

Run by a Python that has repo2docker, the program by which Binder builds. Ends with 1 if a step is missing or out of
order.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def instructions(dockerfile: str) -> list[str]:
    """One string each, without comments, on one line."""
    lines = [line.strip() for line in dockerfile.splitlines()]
    kept = [line for line in lines if line and not line.startswith("#")]
    return [re.sub(r"\s+", " ", each).strip() for each in re.sub(r"\\\n", " ", "\n".join(kept)).split("\n")]


def steps(binder: Path) -> dict[str, str]:
    """What must be in it, in this order: what a step does, and a pattern of its instruction."""
    python = (binder / "runtime.txt").read_text().strip().removeprefix("python-")
    return {
        f"the lock file of Python {python} is put in": rf"COPY .*/environment\.py-{re.escape(python)}\b.*\.lock",
        "Python and JupyterLab are installed from it": r"RUN .*install-base-env\.bash",
        "the whole repository is copied": r"COPY .*\bsrc/ \$\{REPO_DIR\}/",
        "the visitor, not root, installs": r"USER \$\{NB_USER\}",
        "the package is installed": r'RUN .*pip install .*-r "?binder/requirements\.txt',
        "the weights are fetched": r"RUN \S*binder/postBuild",
        "what starts a visit is named": r"ENTRYPOINT",
    }


def wrong_with(dockerfile: str, root: Path = ROOT) -> list[str]:
    """What is wrong with the steps of a Dockerfile, or with the files of `root` that they read; empty: nothing."""
    # repo2docker writes a dot in the name of a file of its own as -2e, a slash as -2f.
    named = [re.sub("-([0-9a-f]{2})", lambda code: chr(int(code[1], 16)), each) if each.startswith("COPY") else each
             for each in instructions(dockerfile)]
    wrong, at = [], 0
    for step, pattern in steps(root / "binder").items():
        found = [number for number, each in enumerate(named) if re.match(pattern, each)]
        at = next((number for number in found if number >= at), at)
        if not found:
            wrong.append(f"Missing: {step}.")
        elif at not in found or (found[0] < at and not pattern.startswith("USER")):  # who acts, changes often
            wrong.append(f"Not at its place: {step}.")
    return wrong + wrong_with_files(root)


def wrong_with_files(root: Path) -> list[str]:
    """What is wrong with what the steps read."""
    extras = tomllib.loads((root / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    required = (root / "binder/requirements.txt").read_text().split()
    installed = next((re.fullmatch(r"\.\[(.+)\]", word) for word in required if word.startswith(".")), None)
    asked = set(installed[1].split(",")) if installed else set()
    wrong = [f"requirements.txt does not install the extra {extra!r} of this package." for extra in ("local", "lab")
             if extra not in asked]
    wrong += [f"pyproject.toml has no extra {extra!r}." for extra in sorted(asked - set(extras))]
    if "nbgitpuller" not in required:
        wrong.append("requirements.txt does not install nbgitpuller, by which links with --content work.")
    if not re.search(r"^python -m ds_magic\.local fetch$", (root / "binder/postBuild").read_text(), re.MULTILINE):
        wrong.append("postBuild does not fetch the weights.")
    return wrong


def main() -> int:
    command = [Path(sys.executable).with_name("repo2docker"), "--no-build", "--no-run", "--debug", ROOT]
    made = subprocess.run(command, capture_output=True, text=True)
    if made.returncode:
        print(f"repo2docker failed:\n{made.stderr}")
        return 1
    print(made.stdout)
    wrong = wrong_with(made.stdout)
    print("\n".join(wrong) or f"Its steps are in order: {'; '.join(steps(ROOT / 'binder'))}.")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
