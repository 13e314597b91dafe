"""Read queries behind every list and page: keyset pages, index lookups only, plain views instead of table rows.

Every function takes an open session (``with database.read() as session``) and never writes.
"""
