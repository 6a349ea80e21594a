"""Profiles on the command line: log in, log out, list and choose."""

import sys
from dataclasses import replace
from typing import Annotated

import typer
from rich.text import Text

from .._environment import DEFAULT_URL
from .help import Program
from .options import Json
from .output import Cell, Column
from .profiles import Profile, Profiles, load_profiles, profiles_path, save_profiles
from .sanitize import escape
from .session import Session, get_session

COLUMNS = [Column("NAME"), Column("DEFAULT"), Column("URL", flexible=True), Column("AGENT", min_width=60, flexible=True)]

ProfileName = Annotated[str, typer.Argument(metavar="PROFILE", help="Name of the profile.", show_default=False)]
MaybeProfileName = Annotated[
    str | None, typer.Argument(metavar="PROFILE", help="Name of the profile. Default: the default profile.", show_default=False)
]

app = Program(invoke_without_command=True, help="List profiles; choose the default one.")


def login(
    ctx: typer.Context,
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="Name of the profile.")] = "default",
    as_json: Json = False,
) -> None:
    """Store a server and a key as a profile, which becomes the default one.

    What `--url`, `--key`, `--agent` or the environment do not give is prompted for; without a terminal the key is read from stdin.
    The key is tried first. It is stored in the user's configuration folder, in a file that only the user can read.
    """
    given = get_session(ctx).given
    is_terminal = sys.stdin.isatty()
    url = given.url or (typer.prompt("URL of the server", default=DEFAULT_URL) if is_terminal else DEFAULT_URL)
    key = given.key or (typer.prompt("API key", hide_input=True) if is_terminal else sys.stdin.readline()).strip()
    found = Profile(url, key or None, given.agent)
    with Session(found) as run:
        run.client.list_intents(limit=1)
    save_profiles(load_profiles().with_profile(profile, found))
    if as_json:
        return run.output.write_json({"profile": profile, "url": url, "agent": given.agent})
    run.output.print(Text(escape(f"Stored the key for {url} as profile {profile}")))
    run.output.print_note(f"It is in {profiles_path()}")


def logout(ctx: typer.Context, profile: MaybeProfileName = None, as_json: Json = False) -> None:
    """Forget a profile and its key. The key stays valid: operators revoke it with keys revoke."""
    run, stored = get_session(ctx), load_profiles()
    name = profile or stored.default
    if name is None:
        raise typer.BadParameter("There is no default profile. Pass the name of one.")
    _require(stored, name)
    save_profiles(stored.without(name))
    if as_json:
        return run.output.write_json({"forgotten": name})
    run.output.print(Text(escape(f"Forgot profile {name}")))


@app.callback()
def profiles(ctx: typer.Context, as_json: Json = False) -> None:
    """List profiles; choose the default one."""
    if ctx.invoked_subcommand:
        return
    run, stored = get_session(ctx), load_profiles()
    if as_json:
        rows = [
            {"name": name, "default": name == stored.default, "url": each.url, "agent": each.agent}
            for name, each in stored.by_name.items()
        ]
        return run.output.write_json({"profiles": rows})
    if not stored.by_name:
        return run.output.print_note("No profiles yet. Create one with: openintent login NAME")
    cells: list[list[Cell]] = [
        [name, "yes" if name == stored.default else "", each.url, each.agent or ""]
        for name, each in sorted(stored.by_name.items())
    ]
    run.output.print(run.output.table(COLUMNS, cells))


@app.command()
def use(ctx: typer.Context, profile: ProfileName) -> None:
    """Make a profile the default one."""
    stored = load_profiles()
    _require(stored, profile)
    save_profiles(replace(stored, default=profile))
    get_session(ctx).output.print(Text(escape(f"Default profile: {profile}")))


def _require(stored: Profiles, name: str) -> None:
    if name not in stored.by_name:
        known = ", ".join(sorted(stored.by_name)) or "none"
        raise typer.BadParameter(f"There is no profile {name!r}. Known: {known}.")
