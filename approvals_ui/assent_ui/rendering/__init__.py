"""How things look: templates, statuses, hostile text, differences, timelines. Nothing here reads or writes."""
