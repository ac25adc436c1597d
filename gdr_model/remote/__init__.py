"""Music folders at addresses (s3://bucket/music), whose files are fetched when they are needed."""
