"""The web application: REST API, pages and live updates."""
