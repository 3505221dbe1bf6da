"""What `bash binder/check --dockerfile` says of a Dockerfile as repo2docker makes it."""

import shutil
from pathlib import Path

import pytest

from binder.checks.dockerfile import wrong_with

ROOT = Path(__file__).parents[2]

BASE = r"""
FROM docker.io/library/buildpack-deps:24.04
# Set up user
USER root
COPY --chown=0:0 build_script_files/-2fconda-2fenvironment-2epy-2d3-2e12-2dlinux-2d64-2elock-ad6d6f /tmp/env/lock
COPY --chown=0:0 build_script_files/-2fconda-2finstall-2dbase-2denv-2ebash-06d192 /tmp/install-base-env.bash
RUN TIMEFORMAT='time: %3R' \
bash -c 'time /tmp/install-base-env.bash' && \
rm -rf /tmp/install-base-env.bash /tmp/env
COPY --chown=0:0 src/binder/requirements.txt ${REPO_DIR}/binder/requirements.txt
"""
COPY = "COPY --chown=0:0 src/ ${REPO_DIR}/\n"
USER = "USER ${NB_USER}\n"
INSTALL = 'RUN ${KERNEL_PYTHON_PREFIX}/bin/pip install --no-cache-dir -r "binder/requirements.txt"\n'
FETCH = "RUN chmod +x binder/postBuild\nRUN ./binder/postBuild\n"
END = 'ENTRYPOINT ["/usr/local/bin/repo2docker-entrypoint"]\n'


def test_the_steps_of_repo2docker_are_in_order():
    assert wrong_with(BASE + COPY + USER + INSTALL + FETCH + END) == []


@pytest.mark.parametrize(
    ("dockerfile", "wrong"),
    [
        (BASE.replace("3-2e12", "3-2e11") + COPY + USER + INSTALL + FETCH + END, ["Python 3.12"]),
        (BASE + USER + INSTALL + COPY + USER + FETCH + END, ["package is installed"]),
        (BASE + COPY + INSTALL + USER + FETCH + END, ["package is installed"]),
        (BASE + COPY + USER + FETCH + INSTALL + END, ["weights are fetched"]),
        (BASE + INSTALL + COPY + USER + INSTALL + FETCH + END, ["at its place: the package is installed"]),
        (BASE + COPY + USER + INSTALL + END, ["Missing: the weights"]),
        ("", ["Python 3.12", "JupyterLab", "copied", "visitor", "package", "weights", "starts"]),
    ],
)
def test_a_step_that_is_missing_or_at_the_wrong_place_is_named(dockerfile, wrong):
    said = wrong_with(dockerfile)
    assert len(said) == len(wrong) and all(word in line for word, line in zip(wrong, said, strict=True))


@pytest.mark.parametrize(
    ("file", "old", "new", "wrong"),
    [
        ("requirements.txt", "local,", "", "the extra 'local'"),
        ("requirements.txt", ".[local,lab,plot]", ".", "the extra 'local'"),
        ("requirements.txt", "plot", "plots", "no extra 'plots'"),
        ("requirements.txt", "nbgitpuller", "", "nbgitpuller"),
        ("postBuild", "python -m", "# python -m", "does not fetch the weights"),
    ],
)
def test_what_the_steps_read_is_looked_at(tmp_path, file, old, new, wrong):
    shutil.copytree(ROOT / "binder", tmp_path / "binder", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "binder" / file
    path.write_text(path.read_text().replace(old, new))
    assert wrong in wrong_with(BASE + COPY + USER + INSTALL + FETCH + END, tmp_path)[0]
