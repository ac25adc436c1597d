"""MusCALL: both towers, and their checkpoint converted."""
