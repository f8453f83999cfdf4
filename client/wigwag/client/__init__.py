"""The SDK: sessions, messages, events, end-to-end encryption, on anyio."""

__all__: list[str] = []
