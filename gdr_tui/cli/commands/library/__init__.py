"""Commands about whole libraries."""
