"""Where the values of settings come from, and in which order: options, environment, credentials, file, defaults.

Credentials are the files that systemd passes to a service (``LoadCredential=``, systemd.exec(5)): one for each secret,
with the name of its setting in lower case.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from promsnmp.errors import SettingsError, nearest
from promsnmp.settings.reading.config_file import ConfigFile

CREDENTIALS_DIRECTORY = "CREDENTIALS_DIRECTORY"
MAX_CREDENTIAL = 64 * 1024
"""Bytes."""
OTHER_VARIABLES = frozenset({
    "PROMSNMP_CONFIG", "PROMSNMP_URL", "PROMSNMP_TOKEN", "PROMSNMP_PASSWORD", "PROMSNMP_AUTH_PASSPHRASE",
    "PROMSNMP_PRIV_PASSPHRASE", "PROMSNMP_NO_COMPILE", "PROM_ENCRYPT_KEY_NEW",
})  # fmt: skip
"""Variables that are read elsewhere than in the settings."""
SHORTEST_MISSPELT = 8
"""Characters of a variable that is compared with ours: shorter ones are too often those of other programs."""
NEAR = 0.9
"""Similarity (difflib's ratio) from which a variable is taken for a misspelt one of ours."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that was given for the settings, by the name of the setting."""

    file: ConfigFile
    credentials: Mapping[str, str]
    environment: Mapping[str, str]
    """The name of the variable as it is spelt."""

    def below_environment(self) -> dict[str, str]:
        """The values that the environment overrides."""
        return {name: value.text for name, value in self.file.values.items()} | dict(self.credentials)

    def origin(self, name: str) -> str:
        """Where the value of a setting comes from: a variable, a credential, a line of the file, or ``default``."""
        if name in self.environment:
            return f"environment {self.environment[name]}"
        if name in self.credentials:
            return f"credential {name}"
        return self.file.place(name) if name in self.file.values else "default"

    def spelling(self, name: str) -> str:
        """How a wrong value is named in an error: the variable, or the line of the file and the key."""
        in_file = name in self.file.values and name not in self.environment and name not in self.credentials
        return f"{self.file.place(name)}: {name}" if in_file else name.upper()


def find_sources(file: ConfigFile, names: Iterable[str], secrets: Iterable[str]) -> Sources:
    """What the environment and the credentials say of the settings ``names``. Raises SettingsError."""
    spelt = {variable.lower(): variable for variable, value in os.environ.items() if value}
    return Sources(file, read_credentials(secrets), {name: spelt[name] for name in names if name in spelt})


def read_credentials(secrets: Iterable[str]) -> dict[str, str]:
    """The secrets in the folder of systemd's credentials, without the newline at their end. Raises SettingsError."""
    folder = os.environ.get(CREDENTIALS_DIRECTORY)
    found: dict[str, str] = {}
    for name in secrets if folder else ():
        path = Path(folder or "") / name
        try:
            with path.open("rb") as file:
                octets = file.read(MAX_CREDENTIAL + 1)
            text = octets.decode()
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path}: {getattr(error, 'strerror', None) or 'is not UTF-8'}") from None
        if len(octets) > MAX_CREDENTIAL:
            raise SettingsError(f"{path}: is larger than {MAX_CREDENTIAL >> 10} KiB")
        if text := text.rstrip("\r\n"):
            found[name] = text
    return found


def misspelt_variables(names: Iterable[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that are nearly, but not quite, one of ours, with that one. Values are not looked at."""
    ours = [name.upper() for name in names]
    known = OTHER_VARIABLES.union(ours)
    return {
        variable: meant
        for variable in sorted(environment)
        if len(variable) >= SHORTEST_MISSPELT
        and variable.upper() not in known
        and (meant := nearest(variable.upper(), ours, cutoff=NEAR))
    }
