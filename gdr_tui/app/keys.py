"""Every key of the app: one table for the screens, the help, the palette and the settings."""

from __future__ import annotations

import re
from dataclasses import replace

from textual.binding import Binding


def _key(id: str, key: str, action: str, description: str, tooltip: str) -> Binding:
    """A binding; an action like `search.like` is one of a feature, which the main screen calls."""
    if (of := re.fullmatch(r"(\w+)\.(\w+)(?:\((.*)\))?", action)) and of[1] not in (
        "app",
        "screen",
    ):
        arguments = f", {of[3]}" if of[3] else ""
        action = f"screen.feature('{of[1]}', '{of[2]}'{arguments})"
    return Binding(key, action, description, tooltip=tooltip, id=id, show=False)


SEARCH = (
    _key(
        "search.prompt",
        "slash",
        "search.focus_prompt",
        "Prompt",
        "type what the music is like",
    ),
    _key(
        "search.negative",
        "n",
        "search.negative",
        "Push away",
        "type what it is not: text or text:1.5",
    ),
    _key(
        "search.filter",
        "f",
        "search.filter",
        "Filter",
        "say which tracks may answer: genre = jazz",
    ),
    _key(
        "search.draw",
        "enter",
        "enter",
        "Search",
        "draw, with what you like; in the trail, go there",
    ),
    _key("search.reroll", "r", "search.reroll", "Re-roll", "draw again with another seed"),
    _key(
        "search.more",
        "plus,equals_sign",
        "search.guidance(1)",
        "More guidance",
        "follow the words harder",
    ),
    _key(
        "search.less",
        "minus",
        "search.guidance(-1)",
        "Less guidance",
        "follow the words more freely",
    ),
    _key(
        "search.interpretation",
        "s",
        "explain.interpretation",
        "Interpretation",
        "the next of what the words may mean",
    ),
    _key(
        "search.unchip",
        "x",
        "search.unchip",
        "Remove chip",
        "take away the chip at the right end",
    ),
)
AT_ONCE = tuple(
    replace(key, action=key.action.replace("feature", "at_once"), priority=True)
    for key in SEARCH
    if key.id in {"search.prompt", "search.negative"}
)
"""Once more, to act before the next key is handed on: of `/warm` in one burst (a slow line, a busy
moment) the letters would go to what had the focus, where `w` and `a` are commands."""
TRACK = (
    _key(
        "track.play",
        "space",
        "playback.play",
        "Play / pause",
        "play from the matching passage",
    ),
    _key("track.back", "left", "playback.seek(-5)", "5 s back", "move the playhead back"),
    _key("track.forward", "right", "playback.seek(5)", "5 s on", "move the playhead on"),
    _key(
        "track.next",
        "full_stop",
        "playback.play_next(1)",
        "Play next",
        "play the next result",
    ),
    _key(
        "track.previous",
        "comma",
        "playback.play_next(-1)",
        "Play previous",
        "play the result before",
    ),
    _key(
        "track.audition",
        "a",
        "playback.audition",
        "Audition",
        "moving plays what is under the cursor",
    ),
    _key(
        "track.loop",
        "p",
        "playback.loop",
        "Loop",
        "repeat the matching passage, or play on",
    ),
    _key(
        "track.louder",
        "right_square_bracket",
        "playback.volume(1)",
        "Louder",
        "a tenth more",
    ),
    _key(
        "track.softer",
        "left_square_bracket",
        "playback.volume(-1)",
        "Softer",
        "a tenth less",
    ),
    _key(
        "track.edit",
        "i",
        "edit.edit",
        "Edit",
        "invert it and try other words and strengths",
    ),
    _key("track.like", "l", "search.like", "Like", "rank towards this track, or no more"),
    _key(
        "track.ban",
        "b",
        "search.ban",
        "Ban",
        "leave it out and rank away from it, or no more",
    ),
    _key(
        "track.why",
        "w",
        "explain.why",
        "Why",
        "what pushes it up and down, and in which words",
    ),
    _key("track.mark", "m", "crates.mark", "Mark", "put into the crate, or take out"),
    _key("track.copy", "y", "playback.copy", "Copy path", "copy the path of this file"),
    _key("track.reveal", "Y", "playback.reveal", "Reveal", "open the folder it lies in"),
)
LIST = (
    _key("list.down", "j,down", "move(1)", "Down", "next line"),
    _key("list.up", "k,up", "move(-1)", "Up", "previous line"),
    _key("list.page_down", "pagedown,ctrl+d", "move(10)", "10 down", "ten lines down"),
    _key("list.page_up", "pageup,ctrl+u", "move(-10)", "10 up", "ten lines up"),
    _key("list.top", "g,home", "move(-1000000)", "Top", "first line"),
    _key("list.bottom", "G,end", "move(1000000)", "Bottom", "last line"),
    _key(
        "list.crates",
        "M",
        "crates.crates",
        "Crates",
        "see the crates, choose where marks go",
    ),
    _key(
        "list.map",
        "v",
        "map.map",
        "Map",
        "see the library as a map, with results and draws",
    ),
    _key(
        "list.library",
        "L",
        "library.library",
        "Library",
        "folders, failures, pause and retry indexing",
    ),
    _key(
        "list.export",
        "e",
        "crates.export",
        "Export",
        "write the marked, all, or the crate to a file",
    ),
)
MOVES = tuple(key for key in LIST if key.action.startswith("move("))
"""Bound on every screen that has a list."""
TRAIL = (
    _key("trail.undo", "u", "trail.undo", "Undo", "back to the query this one came from"),
    _key(
        "trail.redo",
        "ctrl+r",
        "trail.redo",
        "Redo",
        "forward again to the query visited last",
    ),
    _key(
        "trail.compare",
        "c",
        "trail.compare",
        "Compare",
        "what came, went and moved since before",
    ),
    _key(
        "trail.flip",
        "backslash",
        "trail.flip",
        "A / B",
        "flip to the query compared with, and back",
    ),
    _key("trail.focus", "t", "trail.focus", "Trail", "choose a query; Enter goes there"),
)
IN_TRAIL = (
    _key("trail.name", "R", "trail.name", "Name", "call this query something"),
    _key("trail.fold", "z", "trail.fold", "Fold", "hide or show what came of this query"),
    _key("trail.away", "d", "trail.hide", "Put away", "show this branch no more"),
    _key("trail.back", "D", "trail.unhide", "Bring back", "show again what was put away"),
    _key("trail.write", "e", "trail.save", "Write", "write a session file, to be replayed"),
)
"""Bound in the trail, where they go before the keys of the screen."""
SUSPEND = _key("app.suspend", "ctrl+z", "app.suspend_process", "Suspend", "to the shell, until fg")
"""Bound on every screen."""
APP = (
    _key("app.open", "o", "app.open_folder", "Open folder", "search another music folder, too"),
    _key(
        "app.results",
        "escape",
        "search.focus_results",
        "Results",
        "leave what is being typed",
    ),
    _key("app.help", "question_mark", "app.help", "Help", "every key and what it does"),
    SUSPEND,
    _key("app.quit", "q", "app.quit", "Quit", "leave; the library is kept"),
)
CHIPS = (
    _key("chips.left", "left", "walk(-1)", "Chip to the left", "the chip before"),
    _key("chips.right", "right", "walk(1)", "Chip to the right", "the next chip"),
    _key("chips.more", "plus,equals_sign", "weigh(1)", "Chip: more", "let it weigh more"),
    _key("chips.less", "minus", "weigh(-1)", "Chip: less", "let it weigh less"),
    _key("chips.remove", "x,delete,backspace", "remove", "Chip: remove", "take it away"),
    _key("chips.change", "enter", "change", "Chip: change", "type it anew"),
)
CRATES = (
    _key("crates.enter", "enter", "enter", "Choose / play", "let marks go there; play the track"),
    _key("crates.play", "space", "play", "Play / pause", "play from the passage that was found"),
    _key("crates.new", "n", "make", "New crate", "make a crate, and let marks go there"),
    _key("crates.name", "R", "name", "Name", "call the crate something else"),
    _key("crates.remove", "d,delete", "remove", "Take out", "take the track out, the crate away"),
    _key("crates.undo", "u", "undo", "Undo", "take back the last change of a crate"),
    _key("crates.down", "J,shift+down", "shift(1)", "Track down", "later in the crate"),
    _key("crates.up", "K,shift+up", "shift(-1)", "Track up", "earlier in the crate"),
    _key("crates.left", "h,left", "turn('crates')", "Crates", "to the list of crates"),
    _key("crates.right", "l,right", "turn('crate-tracks')", "Tracks", "to the tracks of the crate"),
    _key("crates.export", "e", "export", "Export", "write the crate to a file"),
    _key("crates.leave", "escape,M", "leave", "Leave", "back to the search"),
)
DIALS = (
    _key("dial.less", "left,h,minus", "turn(-1)", "Dial: less", "one step down"),
    _key("dial.more", "right,l,plus,equals_sign", "turn(1)", "Dial: more", "one step up"),
    _key("dial.least", "home", "turn(-1000)", "Dial: least", "as far down as it goes"),
    _key("dial.most", "end", "turn(1000)", "Dial: most", "as far up as it goes"),
)
EDITING_MOVES = (
    _key("edit.up", "up", "app.focus_previous", "Edit: field above", "the field before"),
    _key("edit.down", "down", "app.focus_next", "Edit: field below", "the next field"),
    _key("edit.page_down", "pagedown", "screen.scroll_lists(1)", "Edit: lists down", "a page down"),
    _key("edit.page_up", "pageup", "screen.scroll_lists(-1)", "Edit: lists up", "a page up"),
)
EDITING = (
    _key("edit.keep", "enter", "accept", "Edit: keep", "keep it as a query of the trail"),
    _key("edit.leave", "escape", "leave", "Edit: leave", "leave everything as it was"),
    *EDITING_MOVES,
)
MAP = (
    _key("map.left", "h,left", "walk(-1, 0)", "Left", "move the cursor to the left"),
    _key("map.right", "l,right", "walk(1, 0)", "Right", "move the cursor to the right"),
    _key("map.up", "k,up", "walk(0, -1)", "Up", "move the cursor up"),
    _key("map.down", "j,down", "walk(0, 1)", "Down", "move the cursor down"),
    _key("map.far_left", "H,shift+left", "walk(-8, 0)", "Far left", "eight columns to the left"),
    _key("map.far_right", "L,shift+right", "walk(8, 0)", "Far right", "eight columns on"),
    _key("map.far_up", "K,shift+up", "walk(0, -4)", "Far up", "four lines up"),
    _key("map.far_down", "J,shift+down", "walk(0, 4)", "Far down", "four lines down"),
    _key("map.in", "plus,equals_sign", "zoom(1)", "Nearer", "zoom in around the cursor"),
    _key("map.out", "minus", "zoom(-1)", "Farther", "zoom out"),
    _key("map.whole", "0", "whole", "All of it", "see the whole library"),
    _key("map.next", "n,tab", "result(1)", "Next result", "to the next result; 1 to 9 by rank"),
    _key("map.before", "p,shift+tab", "result(-1)", "Result before", "to the result before"),
    _key("map.colours", "c", "colours", "Colours", "colour by genre, or by folder"),
    _key("map.shapes", "s", "shapes", "Shapes", "signs instead of colours"),
    _key("map.play", "space", "play", "Play / pause", "play the track under the cursor"),
    _key("map.mark", "m", "mark", "Mark", "put it into the crate, or take it out"),
    _key("map.go", "enter", "go", "Go", "to it in the list; like it if not listed"),
    _key("map.leave", "escape,v,q", "leave", "Leave", "back to the search"),
)
LIBRARY = (
    _key("library.pause", "p,space", "pause", "Pause / resume", "let indexing rest, or go on"),
    _key("library.look", "i", "look", "Look again", "index what is new or changed"),
    _key("library.retry", "r", "retry", "Retry", "try the file, or all of the folder, again"),
    _key("library.reveal", "Y", "reveal", "Reveal", "open the folder it lies in"),
    _key("library.open", "o", "app.open_folder", "Open folder", "take in another music folder"),
    _key("library.left", "h,left", "turn('folders')", "Folders", "to the list of folders"),
    _key("library.right", "l,right", "turn('failures')", "Files", "to what could not be read"),
    _key("library.leave", "escape,L", "leave", "Leave", "back to the search"),
)
GROUPS = {"search": SEARCH, "track": TRACK, "list": LIST, "trail": TRAIL, "app": APP}
ALL = [*SEARCH, *TRACK, *LIST, *TRAIL, *APP]
LOCAL = {
    "chips": CHIPS,
    "in the trail": IN_TRAIL,
    "crates": CRATES,
    "map": MAP,
    "library": LIBRARY,
    "edit": EDITING,
    "dials": DIALS,
}
"""Keys that act only in the part of the screen that has the focus, before all others."""
