"""Old copies come back: of a server's folder, of a client's profile, of the time."""
