"""`broadcaster screen run`: the reference controller of one screen, on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from broadcaster.player import controller

screen_app = typer.Typer(help="A screen's own box.", no_args_is_help=True)


@screen_app.callback()
def screens() -> None:
    """Keeps `run` a command of its own."""


@screen_app.command("run")
def run(
    *,
    feed: Annotated[
        str, typer.Option(envvar="SCREEN_FEED", help="The feed's address, as the screen was put up with.")
    ],
    key_file: Annotated[
        Path | None,
        typer.Option(help="A file with the screen's key; SCREEN_KEY without it; else it pairs by a code."),
    ] = None,
    output: Annotated[str, typer.Option(help=f"{controller.OUTPUTS}.")] = "text",
    state: Annotated[Path, typer.Option(help="Folder to keep the last feed in.")] = Path("screen-state"),
    trust: Annotated[
        Path | None, typer.Option(help="Certificates to trust (PEM), not the system's.")
    ] = None,
    feed_key: Annotated[
        str,
        typer.Option(
            envvar="SCREEN_FEED_KEY",
            help="The public key that signs feeds, as the pairing told it; without it the first one met.",
        ),
    ] = "",
    profile: Annotated[
        str, typer.Option(help="What the panel is, for the pairing code: m96x32-1, lcd1920.")
    ] = "",
    backlight: Annotated[
        Path | None, typer.Option(help="A file that sets the panel's brightness; else pixels are darkened.")
    ] = None,
) -> None:
    """Show a screen's feed until Ctrl-C, through outages of days."""
    try:
        key = controller.read_key(key_file)
        controller.run(
            controller.Settings(
                feed,
                key,
                output,
                state,
                trust=trust,
                feed_key=feed_key,
                profile=profile,
                backlight=backlight,
            )
        )
    except controller.SettingError as error:
        typer.echo(f"broadcaster: {error}", err=True)
        raise typer.Exit(2) from error
