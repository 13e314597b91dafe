"""What Assent says in Slack, as Block Kit.

Text that is not Assent's own never meets Slack's markup: it goes into rich text elements and plain text objects only,
and no ``mrkdwn`` object is ever made. Hidden and disguised characters in it become visible marks. What does not fit is
counted and linked, never silently cut.
"""
