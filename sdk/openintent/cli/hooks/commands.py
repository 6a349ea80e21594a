"""Commands of hooks: `openintent hook install`, `edit`, `permission`, `commit`."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ...client import OpenIntentClient
from ...errors import InputValidationError, OpenIntentError
from ..errors import REFUSED
from ..help import Program
from ..sanitize import escape, escape_lines
from ..session import get_session
from . import permissions
from .files import Held, held_by_others, lease_files, repository, scopes_of, staged_scopes
from .payloads import (
    EDIT,
    PERMISSION,
    Editor,
    PayloadError,
    ToolCall,
    allow_permission,
    ask_before_edit,
    deny_edit,
    deny_permission,
    edited_paths,
    read_tool_call,
)
from .settings_files import Change, changed_git_hook, changed_settings, hooks_of

TIMEOUT, CONNECT_TIMEOUT, MAX_TRIES = 5, 2, 2
"""An editor waits for its hooks, and gives them up after a while (settings_files.EDIT_TIMEOUT)."""

Intent = Annotated[
    str,
    typer.Option(
        "--intent",
        envvar="OPENINTENT_INTENT",
        metavar="INTENT",
        help="Id of the intent whose leases and questions count.",
        show_default=False,
    ),
]
For = Annotated[Editor, typer.Option("--for", help="The program that runs the hook.")]
PerSession = Annotated[
    bool,
    typer.Option(
        "--per-session", help="Act as another agent in each session of the editor. Not with a key that is bound to an agent."
    ),
]


class Otherwise(StrEnum):
    """Answer to a call that cannot be checked."""

    ASK = "ask"
    DENY = "deny"


IfUnchecked = Annotated[
    Otherwise, typer.Option("--otherwise", help="What happens where the server cannot be asked: the editor asks you, or refuses.")
]


class Target(StrEnum):
    """Program whose hooks are installed."""

    CLAUDE = "claude"
    CODEX = "codex"
    GIT = "git"


app = Program(no_args_is_help=True, help="Hooks of Claude Code, Codex and git: leases of files, and permission prompts.")


@app.command()
def install(
    ctx: typer.Context,
    target: Annotated[Target, typer.Argument(metavar="PROGRAM", help="The program.", show_default=False)],
    intent: Annotated[
        str | None,
        typer.Option(
            "--intent",
            envvar="OPENINTENT_INTENT",
            metavar="INTENT",
            help="Id of the intent that stands for the files of this repository, the same for all who work on them.",
            show_default=False,
        ),
    ] = None,
    permission: Annotated[
        bool, typer.Option("--permission", help="Ask people in the console what the editor would ask you.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse what nobody has approved yet, instead of asking you.")] = False,
    wait: Annotated[int, typer.Option("--wait", min=0, max=50, metavar="SECONDS", help="Wait so long for an approval.")] = 5,
    otherwise: IfUnchecked = Otherwise.ASK,
    per_session: PerSession = False,
    user: Annotated[bool, typer.Option("--user", help="In your own settings, for all repositories.")] = False,
    shared: Annotated[bool, typer.Option("--shared", help="In the settings that are committed with the repository.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the hooks again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> None:
    """Install hooks into the settings of an editor, or into git. The change is shown first, and all that is there is kept.

    The hooks take the server and the key from the profile (see login) or the environment of the editor.
    """
    run = get_session(ctx)
    if not (intent or remove):
        raise typer.BadParameter(
            "Pass the id of an intent. Create one with: openintent create 'Files of this repository'", param_hint="--intent"
        )
    root = repository(os.getcwd())
    common = ["--intent", run.intent_id(intent)] if intent and not remove else []
    program = ["openintent"] if shared else _program()
    if target == Target.GIT:
        change = changed_git_hook(_git_hook(root), None if remove else shlex.join([*program, "hook", "commit", *common]))
    else:
        common += ["--for", target, "--otherwise", otherwise, *(["--per-session"] if per_session else [])]
        edit = shlex.join([*program, "hook", "edit", *common])
        prompts = [*common, "--wait", str(wait), *(["--strict"] if strict else [])]
        asks = shlex.join([*program, "hook", "permission", *prompts]) if permission or strict else None
        editor = Editor(target)
        change = changed_settings(_settings(editor, root, user, shared), [] if remove else hooks_of(editor, edit, asks, wait))
    _confirm(run.output.print, change, yes)
    if target == Target.CODEX and not remove:
        run.output.print_note("Codex runs new hooks after you have reviewed them: enter /hooks there.")


@app.command()
def edit(
    ctx: typer.Context, intent: Intent, editor: For, otherwise: IfUnchecked = Otherwise.ASK, per_session: PerSession = False
) -> None:
    """Answer an editor that is about to change files: refuse what another agent has leased, and lease the rest for ten minutes."""
    try:
        call = read_tool_call(sys.stdin.read(), EDIT)
        scopes = scopes_of(edited_paths(call), call.cwd)
        held = lease_files(_client(ctx, editor, call, per_session), intent, scopes) if scopes else []
    except (OpenIntentError, PayloadError, OSError) as error:
        problem = f"OpenIntent cannot check this edit: {_said(error)}"
        return _write(deny_edit(problem) if otherwise == Otherwise.DENY else ask_before_edit(editor, problem))
    if held:
        _write(deny_edit(f"{_described(held)}. Work on something else, or ask its holder to release it."))


@app.command()
def permission(
    ctx: typer.Context,
    intent: Intent,
    editor: For,
    wait: Annotated[int, typer.Option("--wait", min=0, max=50, metavar="SECONDS", help="Wait so long for an answer.")] = 5,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse what nobody has approved yet; the next try finds the answer.")
    ] = False,
    otherwise: IfUnchecked = Otherwise.ASK,
    per_session: PerSession = False,
) -> None:
    """Answer an editor that is about to ask for a permission: by what people decide in the console. An approval allows the call once.

    Without an answer in time the editor asks as usual; with --strict the call is refused, with a link to the question.
    """
    try:
        call = read_tool_call(sys.stdin.read(), PERMISSION)
        answer = permissions.ask(_client(ctx, editor, call, per_session), intent, call, wait=wait, keep=strict)
    except (OpenIntentError, PayloadError, OSError) as error:
        problem = f"OpenIntent cannot ask for this permission: {_said(error)}"
        get_session(ctx).output.print_note(problem)
        if otherwise == Otherwise.DENY:
            _write(deny_permission(problem))
        return
    if answer.is_granted:
        _write(allow_permission())
    elif answer.refusal:
        _write(deny_permission(answer.refusal))
    elif answer.page:
        _write(deny_permission(f"This needs an approval by a person, at {answer.page} – try again when it is given."))
    elif strict:
        _write(deny_permission("The question was closed without an answer. Try again to ask once more."))


@app.command()
def commit(ctx: typer.Context, intent: Intent) -> None:
    """Refuse a commit that changes files which other agents have leased. For git's pre-commit hook."""
    folder = os.getcwd()
    try:
        scopes = staged_scopes(folder)
    except (OSError, subprocess.SubprocessError) as error:
        raise InputValidationError(f"git does not say what is staged: {error}", field="repository") from error
    held = held_by_others(_client(ctx), intent, scopes) if scopes else []
    if held:
        get_session(ctx).output.err.print(escape_lines("\n".join(map(str, held))), style="bold red", soft_wrap=True)
        raise typer.Exit(REFUSED)


def _client(
    ctx: typer.Context, editor: Editor | None = None, call: ToolCall | None = None, per_session: bool = False
) -> OpenIntentClient:
    connection: dict[str, Any] = {**get_session(ctx).connection}
    if per_session and call and call.session:
        connection["agent_id"] = f"{connection['agent_id'] or editor}.{call.session[:8]}"
    return OpenIntentClient(**connection, timeout=TIMEOUT, connect_timeout=CONNECT_TIMEOUT, max_tries=MAX_TRIES)


def _described(held: list[Held]) -> str:
    return "; ".join(map(str, held))


def _said(error: Exception) -> str:
    return error.message if isinstance(error, OpenIntentError) else str(error)


def _write(answer: str) -> None:
    sys.stdout.write(f"{answer}\n")


def _program() -> list[str]:
    """The command that runs this program, from anywhere."""
    found = shutil.which("openintent", path=str(Path(sys.executable).parent)) or shutil.which("openintent")
    return [found] if found else [sys.executable, "-m", "openintent.cli"]


def _settings(editor: Editor, root: Path, user: bool, shared: bool) -> Path:
    if user and shared:
        raise typer.BadParameter("--user and --shared cannot be combined.")
    if editor == Editor.CODEX:
        home = Path(os.environ.get("CODEX_HOME") or Path.home() / ".codex")
        return (home if user else root / ".codex") / "hooks.json"
    if user:
        return Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude") / "settings.json"
    return root / ".claude" / ("settings.json" if shared else "settings.local.json")


def _git_hook(root: Path) -> Path:
    command = ["git", "-C", str(root), "rev-parse", "--git-path", "hooks/pre-commit"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.rstrip("\n")
    except (OSError, subprocess.SubprocessError):
        raise InputValidationError(f"{root} is no git repository", field="repository") from None
    return root / found


def _confirm(show: Callable[[str], None], change: Change, yes: bool) -> None:
    if change.before == change.after:
        return show(escape(f"Nothing to change in {change.path}"))
    show(escape_lines(change.diff))
    if not yes:
        typer.confirm(f"Write {change.path}?", default=True, abort=True)
    change.write()
    show(escape(f"Wrote {change.path}" if change.after is not None else f"Removed {change.path}"))
