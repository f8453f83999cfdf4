"""`wigwag history`: the messages with somebody, from the profile's own store."""

from wigwag.client._cli_session import Opening, open_profile_or_holder
from wigwag.client._render import message_value, message_words


async def run_history(opening: Opening, peer: str, limit: int) -> None:
    """Write the newest messages, oldest first.

    Args:
        opening: Profile and output.
        peer: With whom.
        limit: How many.
    """
    async with open_profile_or_holder(opening) as door:
        messages = await door.history(peer, limit)
    for message in messages:
        opening.output.result(message_value(message), message_words(message))
    if not messages:
        opening.output.note("There are no messages yet.")
