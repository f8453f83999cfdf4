"""The server: routes messages that it can't read, and loses none.

`wigwag serve` is the command; in code, a server is a context manager:

    config = load_config(Path("wigwag.toml"), os.environ)
    with open_folder(config.data_folder(dict(os.environ))) as folder:
        async with open_server(config, folder, make_log("json")) as server:
            print((await server.invite()).reveal())
            await server.wait_stopped()

`Session` with its `Services` is the server's side of one connection without socket,
clock or TLS: the simulation drives it over a pipe.
"""

from wigwag.server._address import Address as Address
from wigwag.server._address import parse_address as parse_address
from wigwag.server._admin_client import ask_admin as ask_admin
from wigwag.server._admission import Admission as Admission
from wigwag.server._assemble import build_version as build_version
from wigwag.server._assemble import open_server as open_server
from wigwag.server._assemble import public_address as public_address
from wigwag.server._certificate_facts import CertificateFacts as CertificateFacts
from wigwag.server._certificate_facts import inspect_certificate as inspect_certificate
from wigwag.server._config import Config as Config
from wigwag.server._config import HealthConfig as HealthConfig
from wigwag.server._config import LogConfig as LogConfig
from wigwag.server._config import RegistrationTokenConfig as RegistrationTokenConfig
from wigwag.server._config import TLSConfig as TLSConfig
from wigwag.server._config_load import load_config as load_config
from wigwag.server._config_load import load_settings as load_settings
from wigwag.server._config_text import shown_value as shown_value
from wigwag.server._counts import Counts as Counts
from wigwag.server._errors import AdminError as AdminError
from wigwag.server._errors import ConfigError as ConfigError
from wigwag.server._errors import DamagedDataError as DamagedDataError
from wigwag.server._errors import InUseError as InUseError
from wigwag.server._errors import ServerError as ServerError
from wigwag.server._errors import StorageError as StorageError
from wigwag.server._folder import DataFolder as DataFolder
from wigwag.server._folder import open_folder as open_folder
from wigwag.server._hub import Hub as Hub
from wigwag.server._join import JoinString as JoinString
from wigwag.server._limits import DESCRIPTORS_SPARE as DESCRIPTORS_SPARE
from wigwag.server._limits import Limits as Limits
from wigwag.server._memory import CONNECTION_BYTES as CONNECTION_BYTES
from wigwag.server._memory import Memory as Memory
from wigwag.server._observe import Log as Log
from wigwag.server._observe import make_log as make_log
from wigwag.server._peer import Peer as Peer
from wigwag.server._proof import ProofVerifier as ProofVerifier
from wigwag.server._proofs import invite_hash as invite_hash
from wigwag.server._proofs import make_verifiers as make_verifiers
from wigwag.server._request_limits import RequestLimits as RequestLimits
from wigwag.server._server import Server as Server
from wigwag.server._services import Handler as Handler
from wigwag.server._services import Services as Services
from wigwag.server._services import connection_config as connection_config
from wigwag.server._session import Session as Session
from wigwag.server._session import Transport as Transport
from wigwag.server.handlers import HANDLERS as HANDLERS

__all__ = [
    "CONNECTION_BYTES",
    "DESCRIPTORS_SPARE",
    "HANDLERS",
    "Address",
    "AdminError",
    "Admission",
    "CertificateFacts",
    "Config",
    "ConfigError",
    "Counts",
    "DamagedDataError",
    "DataFolder",
    "Handler",
    "HealthConfig",
    "Hub",
    "InUseError",
    "JoinString",
    "Limits",
    "Log",
    "LogConfig",
    "Memory",
    "Peer",
    "ProofVerifier",
    "RegistrationTokenConfig",
    "RequestLimits",
    "Server",
    "ServerError",
    "Services",
    "Session",
    "StorageError",
    "TLSConfig",
    "Transport",
    "ask_admin",
    "build_version",
    "connection_config",
    "inspect_certificate",
    "invite_hash",
    "load_config",
    "load_settings",
    "make_log",
    "make_verifiers",
    "open_folder",
    "open_server",
    "parse_address",
    "public_address",
    "shown_value",
]
