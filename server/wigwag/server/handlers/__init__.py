"""What the server does with each message, one file for each family.

A handler takes one decoded message of one session, asks the engine, and queues the
answer; it never waits. To add one: the specification first, then a function here.

    services = Services(..., handlers=HANDLERS)
    session = Session(services, peer, number=1, now=now)
    session.receive(data, now)      # calls HANDLERS[type] for every whole frame
"""

from collections.abc import Mapping

from wigwag.server._services import Handler
from wigwag.server.handlers._account import (
    auth,
    delete_account,
    hello,
    re_register,
    register,
)
from wigwag.server.handlers._inbox import ack
from wigwag.server.handlers._keys import (
    device_list_get,
    device_list_publish,
    prekeys_claim,
    prekeys_count,
    prekeys_upload,
)
from wigwag.server.handlers._names import (
    username_claim,
    username_of,
    username_resolve,
)
from wigwag.server.handlers._receipts import receipts_get
from wigwag.server.handlers._sending import send
from wigwag.wire import (
    INFO_BY_RECORD,
    Ack,
    Auth,
    DeleteAccount,
    DeviceListGet,
    DeviceListPublish,
    Hello,
    PrekeysClaim,
    PrekeysCount,
    PrekeysUpload,
    ReceiptsGet,
    Register,
    ReRegister,
    Send,
    UsernameClaim,
    UsernameOf,
    UsernameResolve,
)

_BY_RECORD: dict[type, Handler] = {
    Ack: ack,
    Auth: auth,
    DeleteAccount: delete_account,
    DeviceListGet: device_list_get,
    DeviceListPublish: device_list_publish,
    Hello: hello,
    PrekeysClaim: prekeys_claim,
    PrekeysCount: prekeys_count,
    PrekeysUpload: prekeys_upload,
    ReRegister: re_register,
    ReceiptsGet: receipts_get,
    Register: register,
    Send: send,
    UsernameClaim: username_claim,
    UsernameOf: username_of,
    UsernameResolve: username_resolve,
}

HANDLERS: Mapping[int, Handler] = {
    INFO_BY_RECORD[record].type: handler for record, handler in _BY_RECORD.items()
}
"""By message type: every request and oneway that a client may send."""

__all__ = ["HANDLERS"]
