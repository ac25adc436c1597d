"""`gdr bench`: how fast this machine is, in one figure a line; a subcommand for each part."""
