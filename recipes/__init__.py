"""How the things that gdr ships were made. Stands above every package, and is in no wheel."""
