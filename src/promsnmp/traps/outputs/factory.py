"""Outputs from the settings."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from pathlib import Path

from promsnmp.errors import SettingsError
from promsnmp.settings.reading.parsing import parts
from promsnmp.settings.trap_outputs import TrapOutputSettings
from promsnmp.traps.outputs import loki, otlp
from promsnmp.traps.outputs.alertmanager import output as alertmanager
from promsnmp.traps.outputs.alertmanager.output import AlertmanagerOutput
from promsnmp.traps.outputs.http_target import HttpTarget
from promsnmp.traps.outputs.json_lines import FileOutput, LogOutput
from promsnmp.traps.outputs.loki import LokiOutput
from promsnmp.traps.outputs.otlp import OtlpOutput
from promsnmp.traps.outputs.outputs import Outputs
from promsnmp.traps.outputs.queue.disk import DiskQueue
from promsnmp.traps.outputs.queue.memory import MemoryQueue
from promsnmp.traps.outputs.queue.model import EventQueue
from promsnmp.traps.outputs.takeover import MAX_FOLDERS, STATE_FILE, QueueTakeover, try_lock
from promsnmp.traps.outputs.webhook import WebhookOutput
from promsnmp.traps.outputs.worker import Output, Worker

log = logging.getLogger(__name__)

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9.]+")


def build_outputs(settings: TrapOutputSettings) -> Outputs:
    """The outputs that are set, not yet started. Raises SettingsError; no message contains a URL."""
    folder = claim_folder(settings.trap_queue_dir) if settings.trap_queue_dir is not None else None
    outputs = [*_local(settings), *_alertmanagers(settings, folder), *_receivers(settings)]
    if folder is not None:
        _warn_of_others(folder, {one.name for one in outputs})
    age = settings.trap_queue_max_age / 1000
    workers = [Worker(one, _queue(one, settings, folder), max_age=age) for one in outputs]
    if folder is None:
        return Outputs(workers)
    on_disk = [one for one in workers if isinstance(one.queue, DiskQueue)]
    return Outputs(workers, QueueTakeover(folder.parent, folder, on_disk, max_octets=settings.trap_queue_max_bytes))


def check_outputs(settings: TrapOutputSettings) -> None:
    """Checks the settings of outputs without opening a queue. Raises SettingsError; no message contains a URL."""
    _alertmanagers(settings, None)
    _receivers(settings)


def claim_folder(base: Path) -> Path:
    """The first folder ``queue-N`` of ``base`` that no other process uses; it is this process's until it ends.

    So a replica continues what one before it has left. Raises SettingsError.
    """
    try:
        for number in range(MAX_FOLDERS):
            folder = base / f"queue-{number}"
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if try_lock(folder) >= 0:
                return folder  # the lock stays open, and locked, as long as the process lives
    except OSError as error:
        raise SettingsError(f"TRAP_QUEUE_DIR={base}: cannot be used: {error.strerror}") from None
    raise SettingsError(f"TRAP_QUEUE_DIR={base}: {MAX_FOLDERS} processes use it already")


def _warn_of_others(folder: Path, names: Collection[str]) -> None:
    """Says which queues belong to outputs that are no longer set."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name not in names and any(path.glob("*.segment")):
            log.warning("%s has notifications for an output that is not set; set it again, or remove the folder", path)


def _local(settings: TrapOutputSettings) -> list[Output]:
    found: list[Output] = [LogOutput()] if settings.trap_log else []
    if settings.trap_file is not None:
        found.append(
            FileOutput(settings.trap_file, max_octets=settings.trap_file_max_bytes, keep=settings.trap_file_keep)
        )
    return found


def _alertmanagers(settings: TrapOutputSettings, folder: Path | None) -> list[Output]:
    found: dict[str, Output] = {}
    for url in parts(_secret(settings.trap_alertmanager_urls)):
        target = _target(settings, url, "trap_alertmanager_urls", alertmanager.PATH, settings.trap_alertmanager_token)
        name = f"alertmanager-{_NOT_IN_NAMES.sub('-', target.address).strip('-')}"
        if name in found:
            raise SettingsError(f"TRAP_ALERTMANAGER_URLS: {target.address} is there twice; name it once")
        state_file = None
        if folder is not None:
            (folder / name).mkdir(exist_ok=True, mode=0o700)
            state_file = folder / name / STATE_FILE
        found[name] = AlertmanagerOutput(
            target,
            name=name,
            state_file=state_file,
            repeat=settings.trap_alert_repeat / 1000,
            timeout=settings.trap_alert_timeout / 1000,
            page_url=settings.trap_page_url,
        )
    return list(found.values())


def _receivers(settings: TrapOutputSettings) -> list[Output]:
    found: list[Output] = []
    if url := _secret(settings.trap_loki_url):
        tenant = {"x-scope-orgid": settings.trap_loki_tenant} if settings.trap_loki_tenant else {}
        found.append(LokiOutput(_target(settings, url, "trap_loki_url", loki.PATH, settings.trap_loki_token, tenant)))
    if url := _secret(settings.trap_otlp_url):
        found.append(OtlpOutput(_target(settings, url, "trap_otlp_url", otlp.PATH, settings.trap_otlp_token)))
    if url := _secret(settings.trap_webhook_url):
        target = _target(settings, url, "trap_webhook_url", "", settings.trap_webhook_token)
        found.append(WebhookOutput(target, secret=_secret(settings.trap_webhook_secret).encode()))
    return found


def _target(
    settings: TrapOutputSettings,
    url: str,
    setting: str,
    path: str,
    token: object,
    headers: dict[str, str] | None = None,
) -> HttpTarget:
    ca_file = str(settings.trap_output_ca_file or "")
    return HttpTarget(
        url, setting=setting.upper(), path=path, token=_secret(token), headers=headers, ca_file=ca_file
    )  # fmt: skip


def _secret(value: object) -> str:
    """The text of a secret setting; empty where it is not set."""
    get = getattr(value, "get_secret_value", None)
    return str(get()) if get is not None else ""


def _queue(output: Output, settings: TrapOutputSettings, folder: Path | None) -> EventQueue:
    if folder is None or output.kind == "log":
        return MemoryQueue(max_count=settings.trap_queue_max_count, max_octets=settings.trap_queue_max_bytes)
    return DiskQueue(folder / output.name, max_octets=settings.trap_queue_max_bytes, sync=settings.trap_queue_sync)
