"""Music folders that move to another place, or go: what becomes of their libraries."""
