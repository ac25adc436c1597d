"""What users make and indexing cannot restore: trails, crates, saved trails."""
