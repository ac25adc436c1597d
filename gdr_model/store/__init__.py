"""A music folder as gdr stores it: scanning, ingesting, storing, filtering; no search here."""
