"""`wigwag verify`: the number that two people compare."""

from wigwag.client._cli_session import Opening, open_profile, wait_to_look_up
from wigwag.client._render import one_line
from wigwag.client._session import PeerInfo


async def run_verify(opening: Opening, peer: str, *, mark: bool, accept: bool) -> None:
    """Write the safety number with somebody, and note what was decided.

    Args:
        opening: Profile and output.
        peer: With whom.
        mark: The number was compared and is equal.
        accept: The new key is really his: send to him again.
    """
    async with open_profile(opening) as session:
        await wait_to_look_up(session, peer)
        if accept:
            await session.accept_peer_change(peer)
        if mark:
            await session.mark_verified(peer)
        number = await session.safety_number(peer)
        info = await session.peer(peer)
    value: dict[str, object] = {
        "peer": info.name,
        "safety_number": number.digits,
        "is_verified": info.is_verified,
        "change": info.change,
    }
    opening.output.result(value, number.grouped)
    opening.output.note(_advice(info))


def _advice(info: PeerInfo) -> str:
    name = one_line(info.name)
    if info.change:
        return (
            f"The key of {name} changed ({one_line(info.change)}); nothing is sent."
            f" If it is really {name}: wigwag verify {name} --accept-change"
        )
    if info.is_verified:
        return f"{name} is verified."
    return (
        f"{name} must see the same number; compare by another way than these"
        f" messages. If it is equal: wigwag verify {name} --mark"
    )
