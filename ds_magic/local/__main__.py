"""`python -m ds_magic.local`, or `ds-magic serve`: the embedded server as a program."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import time
from dataclasses import replace
from pathlib import Path

from .memory import LITTLE, places
from .model_failures import MissingExtraError
from .record import Record
from .server_options import LARGEST_CONTEXT, ServerOptions, keep_asked
from .service import faults


def main(arguments: list[str] | None = None) -> int:
    """Run the program; returns its exit status."""
    given = vars(_parser().parse_args(_with_command(sys.argv[1:] if arguments is None else arguments)))
    command = given.pop("command")
    if command != "serve":
        from .models import programs

        return programs.run(command, given.get("name", ""))
    options = ServerOptions(**given)
    try:
        import aiohttp  # noqa: F401
        import llguidance  # noqa: F401
        import xllamacpp  # noqa: F401
    except ImportError as error:
        missing = MissingExtraError(f"{error.name} is not installed.")
        print(f"ds-magic: {missing} {missing.remedy}", file=sys.stderr)
        return 1
    if not options.api_key:
        key = os.environ.get("DS_MAGIC_LOCAL_KEY") or f"local-{secrets.token_urlsafe(18)}"
        options = replace(options, api_key=key)
    if not options.is_loopback_only:
        print(f"Warning: {options.host} can be reached by other machines; whoever has the key is answered.",
              file=sys.stderr, flush=True)
    if options.fault:
        print(f"Warning: this server makes trouble on purpose: {options.fault.spec}", file=sys.stderr, flush=True)
    from .running import run

    return run(options, _print_for_people, _log)


def serve_for_kernels(
    api_key: str, linger: float, record: str | None, model: str = "", keep: int | None = None
) -> int:
    """Serve for the kernels that hold a lease, and end when none does; `launch` is the other side."""
    from .running import run

    def forget() -> None:
        if record is not None:
            Record(Path(record)).remove(os.getpid())

    sleep = keep_asked() if keep is None else keep
    options = ServerOptions(api_key=api_key, linger=linger, model=model or None, sleep=sleep)
    return run(options, _print_for_starter, at_end=forget)


def _with_command(arguments: list[str]) -> list[str]:
    """`python -m ds_magic.local` alone serves, too."""
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help")):
        return ["serve", *arguments]
    return arguments


def _fault(spec: str) -> faults.Fault:
    try:
        return faults.Fault.parse(spec)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ds-magic", description="A small real language model behind DeepSeek's protocol, on this machine.",
        epilog="`ds-magic journal FILE` lists, checks, compacts and exports what `--journal FILE` recorded; "
        "`ds-magic page NOTEBOOK.ipynb` writes a notebook as one page of HTML.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    fetch = commands.add_parser("fetch", help="fetch a model now, so that nobody waits for it later")
    fetch.add_argument("name", nargs="?", default="", help="its name (default: $DS_MAGIC_LOCAL_MODEL, or SmolLM2)")
    commands.add_parser("models", help="list the models on this machine, and what each can do")
    unload = commands.add_parser("unload", help="let go of the memory of models that kernels use")
    unload.add_argument("name", nargs="?", default="", help="of this one alone")
    serve = commands.add_parser("serve", help="serve it until Ctrl-C", argument_default=argparse.SUPPRESS, description=(
        "Serves SmolLM2-135M-Instruct (fetched once, 98 MB), or any other model, on a loopback port, and "
        "prints the three lines that a DeepSeek or OpenAI client needs: base URL, key and model."
    ))
    serve.add_argument("--port", type=int, help="the port (0, the default: any that is free)")
    serve.add_argument("--model", metavar="NAME", help=(
        "a GGUF file, hf:owner/repo[/file], or ollama:name (default: $DS_MAGIC_LOCAL_MODEL, or SmolLM2)"
    ))
    serve.add_argument("--threads", type=int, help="threads to compute with (default: the free cores)")
    serve.add_argument(
        "--parallel", type=int, help=f"requests answered at once (default: {places(None)}, {places(0)} where there is "
        f"less than {LITTLE / 1e9:.0f} GB of memory)"
    )
    serve.add_argument(
        "--waiting", type=int, help=f"requests that may wait for their turn (default: {ServerOptions.waiting})"
    )
    serve.add_argument(
        "--context", type=int, help=f"tokens of prompt and answer together (default: up to {LARGEST_CONTEXT})"
    )
    serve.add_argument("--sleep", "--keep", metavar="SECONDS", type=int, default=keep_asked(), help=(
        "without a request, after which the model's memory is given back (default: $DS_MAGIC_KEEP, or "
        f"{ServerOptions.sleep})"
    ))
    serve.add_argument("--gpu-layers", metavar="N", type=int, help=(
        "layers that a graphics processor computes, where there is one (default: as many as fit)"
    ))
    serve.add_argument("--api-key", help="the key that clients must send (default: $DS_MAGIC_LOCAL_KEY, or a new one)")
    serve.add_argument(
        "--host", help=f"the address to listen on (default: {ServerOptions.host}, this machine only)"
    )
    serve.add_argument(
        "--today", action="store_true", help="speak as DeepSeek's service does today, not as its reference of 2025 has "
        "it: the models are deepseek-flash and deepseek-v4-pro, it thinks unless thinking is disabled, options may "
        "have no effect, and what the service refuses is refused",
    )
    serve.add_argument(
        "--fault", metavar="KIND[=N],...", type=_fault, help="make trouble on purpose, for tests and teaching; every "
        "response says so, and a request can ask for its own in the header X-DS-Fault. "
        + "; ".join(f"{kind}: {what}" for kind, what in faults.KINDS.items()),
    )
    return parser


def _print_for_people(address: str, key: str, model: str) -> None:
    print(f"base_url = {address}\napi_key  = {key}\nmodel    = {model}", flush=True)


def _print_for_starter(address: str, key: str, model: str) -> None:
    print(json.dumps({"base_url": address, "model": model}), flush=True)


def _log(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
