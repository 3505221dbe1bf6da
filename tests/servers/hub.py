"""A hub on loopback with the real hub's paths: models by branch and commit, files that redirect to a store of blobs."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_API = re.compile(r"/api/models/([^/]+/[^/]+?)(?:/(revision|tree)/([^/?]+)|/(refs))?")
_RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


@dataclass
class Repository:
    """Files by name, as they are at the commit that each branch is at."""

    branches: dict[str, str] = field(default_factory=dict)
    commits: dict[str, dict[str, Path]] = field(default_factory=dict)
    token: str | None = None
    """With one it is gated: whoever does not send it is refused."""

    def commit_of(self, revision: str) -> str | None:
        return self.branches.get(revision, revision if revision in self.commits else None)


class Hub:
    """Serves repositories. `requests`: each that came, as "METHOD path"; `sent`: of each blob's answers the first byte.

    `breaks`: after how many bytes each of the next answers of the store breaks off. `knows_ranges`: whether it
    knows ranges. `claims`: how many bytes it says that each file has, where that is not the truth.
    """

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.requests: list[str] = []
        self.tokens: list[str | None] = []
        self.tokens_at_the_store: list[str | None] = []
        self.sent: list[int] = []
        self.breaks: list[int] = []
        self.knows_ranges = True
        self.claims = 0
        self.held: threading.Event | None = None
        self._blobs: dict[str, Path] = {}
        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), self._handler(store)) for store in (False, True)]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._servers[0].server_port}"

    @property
    def store(self) -> str:
        return f"http://127.0.0.1:{self._servers[1].server_port}"

    def put(self, name: str, *files: Path, branch: str = "main", token: str | None = None) -> str:
        """A repository with these files, on a commit of its own that the branch is at from now on."""
        repository = self.repositories.setdefault(name, Repository())
        repository.token = token
        commit = hashlib.sha1(f"{name} {len(repository.commits)}".encode()).hexdigest()
        repository.commits[commit] = {file.name: file for file in files}
        repository.branches[branch] = commit
        return commit

    def __enter__(self) -> Hub:
        for server in self._servers:
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def sha256(self, file: Path) -> str:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        self._blobs[digest] = file
        return digest

    def _handler(hub, store: bool) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = urlsplit(self.path)
                hub.requests.append(f"{self.command} {path.path}")
                if store:
                    hub.tokens_at_the_store.append(self.headers.get("Authorization"))
                    return self.blob(hub._blobs[path.path.rpartition("/")[2]])
                hub.tokens.append(self.headers.get("Authorization"))
                if found := _RESOLVE.fullmatch(unquote(path.path)):
                    return self.resolve(*found.groups())
                if found := _API.fullmatch(path.path):
                    return self.about(unquote(found[1]), unquote(found[3] or "main"), found[2] or found[4] or "", path)
                self.answer(404, {"error": "Not Found"})

            do_HEAD = do_GET

            def repository(self, name: str, revision: str) -> tuple[Repository, str] | None:
                found = hub.repositories.get(name)
                if found is None:  # the real one says so to whoever is not logged in
                    self.answer(401, {"error": "Invalid username or password."}, {"X-Error-Code": "RepoNotFound"})
                elif found.token and self.headers.get("Authorization") != f"Bearer {found.token}":
                    why = f"Access to model {name} is restricted. You must have access to it and be authenticated."
                    self.answer(401, {"error": why}, {"X-Error-Code": "GatedRepo", "X-Error-Message": why})
                elif (commit := found.commit_of(revision)) is None:
                    self.answer(404, {"error": "Invalid rev id"}, {"X-Error-Code": "RevisionNotFound"})
                else:
                    return found, commit
                return None

            def about(self, name: str, revision: str, what: str, path: Any) -> None:
                if (there := self.repository(name, revision)) is None:
                    return
                repository, commit = there
                files = repository.commits[commit]
                if what == "refs":
                    branches = [{"name": each, "ref": f"refs/heads/{each}", "targetCommit": at}
                                for each, at in repository.branches.items()]
                    return self.answer(200, {"branches": branches, "tags": [], "converts": []})
                if what == "tree":
                    return self.answer(200, [
                        {"type": "file", "path": file, "size": on_disk.stat().st_size, "oid": "0" * 40}
                        for file, on_disk in files.items()
                    ])
                siblings: list[dict[str, Any]] = [{"rfilename": file} for file in files]
                if parse_qs(path.query).get("blobs"):
                    for sibling, on_disk in zip(siblings, files.values(), strict=True):
                        size = on_disk.stat().st_size
                        lfs = {"size": size, "sha256": hub.sha256(on_disk), "pointerSize": 134}
                        sibling |= {"size": size, "blobId": "0" * 40, "lfs": lfs}
                self.answer(200, {
                    "id": name, "modelId": name, "sha": commit, "private": False, "tags": [], "downloads": 0,
                    "siblings": siblings,
                })

            def resolve(self, name: str, revision: str, file: str) -> None:
                if (there := self.repository(name, revision)) is None:
                    return
                repository, commit = there
                on_disk = repository.commits[commit].get(file)
                if on_disk is None:
                    return self.answer(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"})
                digest = hub.sha256(on_disk)
                self.answer(302, None, {
                    "X-Repo-Commit": commit, "X-Linked-Etag": f'"{digest}"', "ETag": f'"{digest}"',
                    "X-Linked-Size": str(hub.claims or on_disk.stat().st_size), "Accept-Ranges": "bytes",
                    "Location": f"{hub.store}/blobs/{digest}",
                })

            def blob(self, file: Path) -> None:
                data, first = file.read_bytes(), 0
                wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")) if hub.knows_ranges else None
                headers = {"ETag": f'"{hub.sha256(file)}"', "Accept-Ranges": "bytes"}
                if wanted:
                    first = int(wanted[1])
                    if first >= len(data):
                        return self.answer(416, None, {"Content-Range": f"bytes */{len(data)}"})
                    headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
                self.send_response(206 if wanted else 200)
                for header, value in {**headers, "Content-Length": str(len(data) - first)}.items():
                    self.send_header(header, value)
                self.end_headers()
                if self.command == "HEAD":
                    return
                hub.sent.append(first)
                rest = data[first:]
                if hub.breaks:
                    self.wfile.write(rest[: hub.breaks.pop(0)])
                    self.wfile.flush()
                    if hub.held is not None:
                        hub.held.wait(60)
                    self.close_connection = True
                    return
                self.wfile.write(rest)

            def answer(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
                data = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

            def log_message(self, *_: object) -> None:
                pass

        return Handler
