"""Who may do what; TLS and the web configuration."""
