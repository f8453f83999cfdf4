"""What systemd and containers are told, held to the configuration."""
