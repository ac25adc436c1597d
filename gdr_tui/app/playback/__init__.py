"""Sound: player, playhead, waveform, and showing a file in the file manager."""
