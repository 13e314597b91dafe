"""Telling people of requests by mail, and other programs by webhook."""
