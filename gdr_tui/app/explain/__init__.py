"""Why a track was found, and the interpretations of a prompt."""
