"""The assistants whose settings embctl can write: each a row of data, its file a pure function of what is served."""

from embctl.clients.served import Served
from embctl.clients.table import CLIENTS, Client, Format

__all__ = ["CLIENTS", "Client", "Format", "Served"]
