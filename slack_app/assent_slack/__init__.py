"""Approval requests as Slack messages and decisions as clicks; everything is decided through the gateway."""
