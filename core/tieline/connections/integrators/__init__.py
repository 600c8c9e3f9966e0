"""On whose consents the practice's connections hang."""
