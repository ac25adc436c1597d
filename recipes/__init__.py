"""How what ships was made; nothing of the packages imports it, and no wheel holds it."""
