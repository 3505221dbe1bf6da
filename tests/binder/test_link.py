"""`bash binder/link`: the link that opens a checkout on Binder."""

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
QUICKSTART = "lab/tree/notebooks/00-quickstart.ipynb"


class Checkout:
    """A git repository with one commit, the scripts of ours, and a remote that nobody asks."""

    def __init__(self, folder):
        self.folder = folder
        shutil.copytree(ROOT / "binder", folder / "binder", ignore=shutil.ignore_patterns("__pycache__"))
        self.git("init", "-q", "-b", "main")
        self.commit_something()
        self.commit = self.git("rev-parse", "HEAD").stdout.strip()

    def commit_something(self):
        self.git("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-q", "--allow-empty", "-m", "It")

    def git(self, *arguments):
        return subprocess.run(["git", *arguments], cwd=self.folder, check=True, capture_output=True, text=True)

    def link(self, *options, remote=None):
        if remote is not None:
            self.git("remote", "add", "origin", remote)
        command = ["bash", self.folder / "binder/link", *options]
        return subprocess.run(command, capture_output=True, text=True, cwd=self.folder.parent)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):  # set where a hook of git runs the tests
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "checkout").mkdir()
    return Checkout(tmp_path / "checkout")


def parts(run):
    """Provider, repository and reference of the printed link, as Binder splits them, and the path that it opens."""
    assert run.returncode == 0, run.stderr
    link = urlsplit(run.stdout.split("\n", 1)[0])
    assert (link.scheme, link.netloc) == ("https", "mybinder.org")
    _, version, provider, rest = link.path.split("/", 3)
    assert version == "v2"
    owner, repository, reference = rest.split("/", 2) if provider == "gh" else ("", *rest.split("/", 1))
    repository = unquote(f"{owner}/{repository}" if owner else repository)
    (path,) = parse_qs(link.query, strict_parsing=True)["urlpath"]
    return (provider, repository, unquote(reference)), path


@pytest.mark.parametrize(
    ("remote", "provider", "repository"),
    [
        ("https://github.com/ada/engine.git", "gh", "ada/engine"),
        ("https://github.com/ada/engine/", "gh", "ada/engine"),
        ("git@github.com:ada/engine.git", "gh", "ada/engine"),
        ("ssh://git@github.com/ada/engine", "gh", "ada/engine"),
        ("git@gitlab.com:group/part/engine.git", "gl", "group/part/engine"),
        ("ssh://git@gitlab.com:22/group/part/engine.git", "gl", "group/part/engine"),
        ("https://git.example.org:8443/ada/engine.git", "git", "https://git.example.org:8443/ada/engine"),
        ("git@git.example.org:ada/engine.git", "git", "https://git.example.org/ada/engine"),
        ("ssh://git@ssh.github.com:443/ada/engine.git", "gh", "ada/engine"),
        ("ssh://git@altssh.gitlab.com:443/group/part/engine.git/", "gl", "group/part/engine"),
    ],
)
def test_the_link_names_the_repository_that_the_checkout_came_from(checkout, remote, provider, repository):
    assert parts(checkout.link(remote=remote)) == ((provider, repository, "main"), QUICKSTART)


def test_the_badge_leads_where_the_link_leads(checkout):
    link, _, badge = checkout.link(remote="https://github.com/ada/engine").stdout.splitlines()
    assert re.fullmatch(r"\[!\[.+\]\(https://mybinder\.org/badge_logo\.svg\)\]\((.+)\)", badge)[1] == link


def test_the_key_in_a_remote_is_in_neither_the_link_nor_an_error(checkout):
    run = checkout.link(remote="https://ada:ghp_secret@github.com/ada/engine.git")
    assert parts(run)[0] == ("gh", "ada/engine", "main") and "secret" not in run.stdout + run.stderr
    checkout.git("remote", "set-url", "origin", "https://github.com/ada/engine.git?access_token=secret#secret")
    run = checkout.link()
    assert parts(run)[0] == ("gh", "ada/engine", "main") and "secret" not in run.stdout + run.stderr


@pytest.mark.parametrize(
    "remote",
    [
        "ftp://ada:ghp_secret@example.org/engine",
        "ftp://example.org/engine?key=secret",
        "https://ada:ghp_sec/secret@github.com/ada/engine",
        "https://secret/x@github.com/ada/engine",
        "https://ada:secret?x/y@github.com/ada/engine",
        "ada:secret@example.org:ada/engine",
        "x-token.org:secret@example.org/ada/engine",
    ],
)
def test_the_key_in_a_remote_that_is_refused_is_not_told(checkout, remote):
    run = checkout.link(remote=remote)
    assert run.returncode == 1 and "secret" not in run.stdout + run.stderr
    checkout.git("remote", "set-url", "origin", "https://github.com/ada/engine")
    run = checkout.link("--content", remote)
    assert run.returncode == 1 and "secret" not in run.stdout + run.stderr


def test_a_branch_is_named_as_the_remote_names_it_and_with_any_character(checkout):
    checkout.git("checkout", "-q", "-b", "lesson/über#1")
    assert parts(checkout.link(remote="https://github.com/ada/engine"))[0][2] == "lesson/über#1"
    checkout.git("update-ref", "refs/remotes/origin/spring", "HEAD")
    checkout.git("branch", "-q", "--set-upstream-to=origin/spring")
    assert parts(checkout.link())[0][2] == "spring"


def test_the_commit_is_named_where_it_is_asked_for_and_where_there_is_no_branch(checkout):
    assert parts(checkout.link("--commit", remote="https://github.com/ada/engine"))[0][2] == checkout.commit
    checkout.git("checkout", "-q", "--detach")
    assert parts(checkout.link())[0][2] == checkout.commit


def test_what_is_not_pushed_is_said_and_what_is_pushed_is_not(checkout):
    assert "git push -u origin main" in checkout.link(remote="https://github.com/ada/engine").stderr
    checkout.git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert checkout.link().stderr == checkout.link("--commit").stderr == ""
    checkout.commit_something()
    assert "not pushed" in checkout.link().stderr and "not pushed" in checkout.link("--commit").stderr


def test_a_repository_of_ones_own_is_fetched_into_the_environment_of_this_one(checkout):
    run = checkout.link(
        "--content", "git@github.com:ada/notes & more.git", "--branch", "spring/1", "--open", "week 1/ça.ipynb",
        remote="https://github.com/ada/engine",
    )
    place, path = parts(run)
    assert place == ("gh", "ada/engine", "main")
    assert urlsplit(path).path == "git-pull"
    assert parse_qs(urlsplit(path).query, strict_parsing=True) == {
        "repo": ["https://github.com/ada/notes & more"],
        "urlpath": ["lab/tree/notes & more/week 1/ça.ipynb"],
        "branch": ["spring/1"],
    }


def test_a_link_to_content_opens_its_readme_where_nothing_is_named(checkout):
    run = checkout.link("--content", "https://github.com/ada/notes", remote="https://github.com/ada/engine")
    assert parse_qs(urlsplit(parts(run)[1]).query)["urlpath"] == ["lab/tree/notes/README.md"]


@pytest.mark.parametrize("remote", ["/srv/engine.git", "../engine", "file:///srv/engine", "laptop:engine", "http://localhost/a/b"])
def test_a_remote_that_binder_cannot_reach_is_refused(checkout, remote):
    run = checkout.link(remote=remote)
    assert run.returncode == 1 and run.stdout == "" and "Binder cannot clone" in run.stderr


def test_a_checkout_without_a_remote_and_a_folder_without_git_say_what_to_do(checkout):
    run = checkout.link()
    assert run.returncode == 1 and "git remote add origin" in run.stderr
    shutil.rmtree(checkout.folder / ".git")
    run = checkout.link()
    assert run.returncode == 1 and "no git checkout" in run.stderr


def test_a_wrong_option_points_to_the_help(checkout):
    for options in (["--chapter"], ["--content"], ["--branch", "main"]):
        run = checkout.link(*options)
        assert run.returncode == 1 and options[0] in run.stderr
    assert "--content URL" in checkout.link("--help").stdout
