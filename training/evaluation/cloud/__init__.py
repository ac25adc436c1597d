"""`gdr eval cloud`: whether a prompt's draws are spread as the tracks are that answer it."""
