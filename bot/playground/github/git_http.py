"""git over HTTP, served by git's own http-backend."""

from __future__ import annotations

import subprocess
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from bot.playground.github import git, pushes
from bot.playground.github.access import Actor, authenticate, role_of
from bot.playground.github.records import Repo
from bot.playground.github.state import ROLES, Refusal, State

_SERVICES = ("git-upload-pack", "git-receive-pack")


def _allowed(actor: Actor, repo: Repo, *, write: bool) -> bool:
    if actor.is_app_itself:
        return False
    if actor.app:
        levels = ("write",) if write else ("read", "write")
        reached = actor.covers(repo) and actor.granted("contents") in levels
        return reached or (not write and not repo.private)
    needed = "write" if write else "read"
    return ROLES.index(role_of(repo, actor.user)) >= ROLES.index(needed)


def serve(state: State, request: Request, body: bytes) -> Response:
    """Answer a request below /<owner>/<name>.git. Like GitHub, asks for credentials rather than saying 404."""
    owner, name = request.path_params["owner"], request.path_params["repo"]
    rest = request.path_params["rest"]
    service = request.query_params.get("service", rest)
    if service not in _SERVICES or (rest not in _SERVICES and rest != "info/refs"):
        return Response("Not Found", 404)
    write = service == "git-receive-pack"
    with state.lock:
        try:
            actor = authenticate(state, request.headers.get("authorization", ""))
            repo = state.repo(f"{owner}/{name}")
        except Refusal as refusal:
            return _unauthorized() if refusal.status == 401 else Response("Repository not found.", 404)
        if not _allowed(actor, repo, write=write):
            return (
                _unauthorized()
                if actor == Actor()
                else Response("Repository not found.", 404 if repo.private else 403)
            )
    if not (write and rest == service and actor.user):
        return _backend(repo, request, body, actor)
    with state.change():
        before = git.refs(repo.path)
        answer = _backend(repo, request, body, actor)
        pushes.process(state, repo, actor.user, before)
    return answer


def _unauthorized() -> Response:
    return Response("", 401, {"WWW-Authenticate": 'Basic realm="GitHub"'})


def _backend(repo: Repo, request: Request, body: bytes, actor: Actor) -> Response:
    """Run the CGI program and return its headers and body as a response."""
    headers = request.headers
    environment = {
        **git.environment(),
        "GIT_PROJECT_ROOT": str(repo.path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_PROTOCOL": headers.get("git-protocol", ""),
        "PATH_INFO": "/" + request.path_params["rest"],
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.url.query,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""),
        "REMOTE_USER": actor.user.login if actor.user else "",
    }
    if not environment["REMOTE_USER"]:
        del environment["REMOTE_USER"]  # even an empty one makes git accept pushes
    done = subprocess.run(
        ["git", "http-backend"], input=body, capture_output=True, env=environment, check=False
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line)
    status = int(fields.pop("Status", "200" if done.returncode == 0 else "500").split()[0])
    return Response(content, status, fields)


def endpoint(state: State) -> Callable[[Request], Awaitable[Response]]:
    """Return the Starlette endpoint."""

    async def git(request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(serve, state, request, body)

    return git
