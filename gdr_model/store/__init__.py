"""A music folder as gdr keeps it: scanned, ingested, stored, filtered; no search here."""
