"""The command ``promsnmp``: its subcommands, their exit codes, and how errors are printed.

Commands are imported when they run, so that ``--help`` does not wait for a web server to be imported. Every failure
ends as one line on stderr and an exit code: 1 when the work failed, 2 when the request was wrong (arguments, settings,
documents), 130 after Ctrl-C.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from http.client import BAD_REQUEST
from typing import Any, NoReturn

import click

from promsnmp import __version__
from promsnmp.cli.options.config_file import config_option
from promsnmp.errors import InventoryInvalid, ModuleError, PromSnmpError, ServiceError, SettingsError

FAILED, WRONG, INTERRUPTED = 1, 2, 130

COMMANDS = {
    "init": "Write a configuration file and make the keys: the first step.",
    "serve": "Run the service: poll devices, answer Prometheus.",
    "demo": "Run the service with simulated devices, to look around.",
    "walk": "Walk a subtree of one device and print its varbinds.",
    "scrape": "Poll one device and print its metrics.",
    "explain": "Poll one device and show why a metric is there, or missing.",
    "modules": "List, show, check, match, build and import modules (snmp.yml).",
    "simulate": "Answer SNMP from recordings (.snmprec).",
    "health": "Show the health of a device, or check that of a running PromSNMP.",
    "leader": "Show which replica leads, or make it step down.",
    "traps": "Receive traps and informs, check rules for them, or send a test trap.",
    "discover": "Search networks for devices.",
    "seeds": "List, show, add or remove the searches that discovery repeats.",
    "devices": "List, show, add, import, edit or remove devices.",
    "credentials": "List, set or remove credentials that devices use by name.",
    "sources": "Show, read and check the sources that devices come from.",
    "targets": "Write the targets for Prometheus's file_sd_configs.",
    "inventory": "Export, import, show or re-encrypt the inventory.",
    "migrate": "Move over from snmp_exporter, and compare the two.",
    "config": "Check or show the settings and where they come from.",
    "assets": "Copy dashboards, alerts, modules and units to a folder.",
    "web-password": "Hash a password for --web.config.file.",
}
"""Every command, with the line that ``--help`` shows without importing it."""

_FOLDERS = (
    dict.fromkeys(("inventory", "devices", "credentials", "seeds", "sources", "targets"), "inventory.")
    | dict.fromkeys(("demo", "simulate"), "simulation.")
    | {"modules": "modules.", "traps": "traps.", "migrate": "migration."}
)
"""Commands that share a folder of ``promsnmp.cli.commands``; the others are in that package itself."""

EPILOG = """\b
Examples:
  promsnmp demo                                   simulated devices on http://localhost:8080
  promsnmp serve --port 9116                      the service, settings from the environment
  promsnmp walk 192.0.2.1 1.3.6.1.2.1.1           ask one device
  promsnmp scrape 192.0.2.1 --module if_mib       its metrics, as Prometheus would get them
  promsnmp explain 192.0.2.1 --metric ifHCInOctets  why a metric is there, or missing
  promsnmp devices add 192.0.2.1 --name core1     add a device to the inventory (--url: of a running service)
  promsnmp discover 192.0.2.0/24 -c public        find devices
  promsnmp inventory show                         what is polled, secrets masked

\b
Settings are environment variables, or keys of promsnmp.yml (docs/reference/configuration.md lists them), for example:
  SERVER_PORT=9116 PROM_INV_FILE=/data/inventory.json promsnmp serve
"""


def _module(command: str) -> str:
    return f"promsnmp.cli.commands.{_FOLDERS.get(command, '')}{command.replace('-', '_')}"


class Commands(click.Group):
    """The group of COMMANDS, each imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        try:
            module = importlib.import_module(_module(cmd_name))
        except ImportError as error:
            raise PromSnmpError(f"cannot load the command {cmd_name!r}: {error}") from None
        command = getattr(module, cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


@click.group(
    cls=Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="PromSNMP polls network devices over SNMP and serves the results to Prometheus.",
)
@click.version_option(__version__, prog_name="promsnmp")
@config_option
@click.option("-v", "--verbose", is_flag=True, help="Log in detail (LOG_LEVEL=debug).")
@click.pass_context
def cli(ctx: click.Context, verbose: bool) -> None:
    ctx.ensure_object(dict)["verbose"] = verbose
    if ctx.invoked_subcommand != "serve":  # serve configures its log from its settings
        from promsnmp.observe.logging import configure_logging

        configure_logging(level="debug" if verbose else "warning")


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns the exit code; expected errors are printed, not raised."""
    try:
        result: Any = cli.main(args=arguments, prog_name="promsnmp", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return WRONG
    except click.UsageError as error:
        hint = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        return _failed(error.format_message() + hint, WRONG)
    except click.ClickException as error:
        return _failed(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        return _pipe_closed()
    except InventoryInvalid as error:
        return _failed("\n".join(error.lines), WRONG)
    except PromSnmpError as error:
        return _failed(str(error), WRONG if _is_wrong(error) else FAILED)
    return result if isinstance(result, int) else 0


def _is_wrong(error: PromSnmpError) -> bool:
    """Whether the request was wrong, as opposed to the work having failed; a service says so with status 400."""
    if isinstance(error, ServiceError):
        return error.status == BAD_REQUEST
    return isinstance(error, SettingsError | ModuleError)


def _failed(text: str, code: int) -> int:
    for line in text.splitlines():
        click.echo(f"promsnmp: {line}", err=True)
    return code


def _pipe_closed() -> int:
    """The reader of our output closed the pipe (``promsnmp walk ... | head``): not worth a message."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED


def main() -> NoReturn:
    """The entry point ``promsnmp``."""
    sys.exit(run())
