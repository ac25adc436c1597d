"""Every key of the app: one table for the screens, the help, the palette and the settings."""

from __future__ import annotations

import re
from dataclasses import replace

from textual.binding import Binding


def _key(id: str, key: str, action: str, description: str, tooltip: str) -> Binding:
    """A binding; an action such as `search.like` is a feature's, called by the main screen."""
    parts = re.fullmatch(r"(\w+)\.(\w+)(?:\((.*)\))?", action)
    if parts and parts[1] not in ("app", "screen"):
        arguments = f", {parts[3]}" if parts[3] else ""
        action = f"feature('{parts[1]}', '{parts[2]}'{arguments})"
    return Binding(key, action, description, tooltip=tooltip, id=id, show=False)


# In each group, what helps more to find a track comes first (`ui/help_dialog.py`).
SEARCH = (
    _key("search.prompt", "slash", "search.focus_prompt", "Prompt", "describe the music"),
    _key(
        "search.word",
        "A",
        "search.one_more_word",
        "One more word",
        "one more word after the others",
    ),
    _key("search.draw", "enter", "enter", "Search", "search; in the trail, go to the query"),
    _key("search.filter", "f", "search.filter", "Filter", "filter the library, as in genre = jazz"),
    _key("search.reroll", "r", "search.reroll", "Roll", "roll: another list for the same words"),
    _key(
        "search.wider",
        "plus,equals_sign",
        "search.spread(1)",
        "Wider",
        "wider: rolls differ more",
    ),
    _key(
        "search.closer",
        "minus",
        "search.spread(-1)",
        "Closer",
        "closer to the words; at the end, no rolls",
    ),
    _key(
        "search.interpretation",
        "s",
        "explain.interpretation",
        "Interpretation",
        "next interpretation of the words",
    ),
    _key(
        "search.negative",
        "n",
        "search.negative",
        "Negative",
        "type what to avoid, such as drums:1.5",
    ),
    _key("search.unchip", "x", "search.unchip", "Remove chip", "remove the last chip"),
    _key("search.forget", "H", "search.forget", "Forget", "forget which results were nearest"),
)
AT_ONCE = tuple(
    replace(key, action=key.action.replace("feature", "at_once"), priority=True)
    for key in SEARCH
    if key.id in {"search.prompt", "search.word", "search.negative"}
)
"""Bound again with priority, to act before the next key is handled: if `/warm` came in one burst (a
slow connection, a busy moment), `w` and `a` would otherwise be handled as result-list shortcuts."""
TRACK = (
    _key(
        "track.nearest",
        "h",
        "search.nearest",
        "Nearest",
        "nearest of those in sight; Enter learns",
    ),
    _key("track.edit", "i", "edit.edit", "Edit", "edit it: other words, with a live preview"),
    _key("track.why", "w", "explain.why", "Why", "why it is here: what its score is made of"),
    _key("track.play", "space", "playback.play", "Play / pause", "play from the matching passage"),
    _key("track.back", "left", "playback.seek(-5)", "5 s back", "seek back 5 s"),
    _key("track.forward", "right", "playback.seek(5)", "5 s forward", "seek forward 5 s"),
    _key("track.next", "full_stop", "playback.play_next(1)", "Play next", "play the next result"),
    _key(
        "track.previous",
        "comma",
        "playback.play_next(-1)",
        "Play previous",
        "play the previous result",
    ),
    _key(
        "track.audition", "a", "playback.audition", "Audition", "play whatever the cursor moves to"
    ),
    _key("track.loop", "p", "playback.loop", "Loop", "loop the matching passage"),
    _key("track.louder", "right_square_bracket", "playback.volume(1)", "Louder", "volume up 10 %"),
    _key(
        "track.softer", "left_square_bracket", "playback.volume(-1)", "Softer", "volume down 10 %"
    ),
    _key("track.like", "l", "search.like", "Like", "toggle like: similar tracks rank higher"),
    _key("track.ban", "b", "search.ban", "Ban", "toggle ban: hide it, similar ones sink"),
    _key("track.mark", "m", "crates.mark", "Mark", "add to the crate, or remove from it"),
    _key("track.copy", "y", "playback.copy", "Copy path", "copy the path of the file"),
    _key("track.reveal", "Y", "playback.reveal", "Reveal", "show the file in its folder"),
)
LIST = (
    _key("list.down", "j,down", "move(1)", "Down", "next line"),
    _key("list.up", "k,up", "move(-1)", "Up", "previous line"),
    _key("list.page_down", "pagedown,ctrl+d", "move(10)", "10 down", "ten lines down"),
    _key("list.page_up", "pageup,ctrl+u", "move(-10)", "10 up", "ten lines up"),
    _key("list.top", "g,home", "move(-1000000)", "Top", "first line"),
    _key("list.bottom", "G,end", "move(1000000)", "Bottom", "last line"),
    _key("list.crates", "M", "crates.crates", "Crates", "open the crates; choose where marks go"),
    _key("list.map", "v", "map.map", "Map", "show library, results and draws on a map"),
    _key(
        "list.library",
        "L",
        "library.library",
        "Library",
        "folders, failures; pause, retry indexing",
    ),
    _key(
        "list.copies",
        "z",
        "search.copies",
        "Copies",
        "list or fold copies of the recording",
    ),
    _key("list.export", "e", "crates.export", "Export", "export the results or the crate"),
)
MOVES = tuple(key for key in LIST if key.action.startswith("move("))
"""Bound on every screen that has a list."""
TRAIL = (
    _key("trail.undo", "u", "trail.undo", "Undo", "go back to the parent query"),
    _key("trail.redo", "ctrl+r", "trail.redo", "Redo", "go forward to the query visited last"),
    _key("trail.compare", "c", "trail.compare", "Compare", "show what came, went and moved"),
    _key("trail.flip", "backslash", "trail.flip", "A / B", "flip to the compared query, and back"),
    _key("trail.focus", "t", "trail.focus", "Trail", "choose a query; Enter goes to it"),
)
IN_TRAIL = tuple(
    replace(key, action=f"screen.{key.action}")
    for key in (
        _key("trail.name", "R", "trail.name", "Name", "name this query"),
        _key("trail.fold", "z", "trail.fold", "Fold", "fold or unfold the queries below this one"),
        _key("trail.away", "d", "trail.hide", "Hide", "hide this branch"),
        _key("trail.back", "D", "trail.unhide", "Unhide", "show the newest hidden branch again"),
        _key("trail.write", "e", "trail.save", "Save", "save the trail to a file for gdr replay"),
    )
)
"""Bound in the trail, where they take precedence over the keys of the screen."""
SUSPEND = _key(
    "app.suspend", "ctrl+z", "app.suspend_process", "Suspend", "suspend to the shell; fg resumes"
)
"""Bound on every screen."""
APP = (
    _key("app.open", "o", "app.open_folder", "Open folder", "add another music folder"),
    _key(
        "app.results",
        "escape",
        "search.focus_results",
        "Results",
        "leave the input, go to the results",
    ),
    _key("app.help", "question_mark", "app.help", "Help", "list every key"),
    SUSPEND,
    _key("app.quit", "q", "app.quit", "Quit", "quit; trail and crates are saved"),
)
CHIPS = (
    _key("chips.left", "left", "walk(-1)", "Chip to the left", "previous chip"),
    _key("chips.right", "right", "walk(1)", "Chip to the right", "next chip"),
    _key("chips.more", "plus,equals_sign", "weigh(1)", "Chip: more", "increase its weight"),
    _key("chips.less", "minus", "weigh(-1)", "Chip: less", "decrease its weight"),
    _key("chips.remove", "x,delete,backspace", "remove", "Chip: remove", "remove it"),
    _key("chips.change", "enter", "change", "Chip: change", "retype it"),
)
CRATES = (
    _key("crates.enter", "enter", "enter", "Choose / play", "mark into this crate; play the track"),
    _key("crates.play", "space", "play", "Play / pause", "play from the matching passage"),
    _key("crates.new", "n", "make", "New crate", "make a crate and mark into it"),
    _key("crates.name", "R", "name", "Rename", "rename the crate"),
    _key("crates.remove", "d,delete", "remove", "Remove", "remove the track, or delete the crate"),
    _key("crates.undo", "u", "undo", "Undo", "undo the last change to a crate"),
    _key("crates.down", "J,shift+down", "shift(1)", "Track down", "move the track down"),
    _key("crates.up", "K,shift+up", "shift(-1)", "Track up", "move the track up"),
    _key("crates.left", "h,left", "turn('crates')", "Crates", "go to the list of crates"),
    _key(
        "crates.right", "l,right", "turn('crate-tracks')", "Tracks", "go to the tracks of the crate"
    ),
    _key("crates.export", "e", "export", "Export", "export the crate"),
    _key("crates.leave", "escape,M", "leave", "Leave", "back to the search"),
)
DIALS = (
    _key("dial.less", "left,h,minus", "turn(-1)", "Dial: less", "one step down"),
    _key("dial.more", "right,l,plus,equals_sign", "turn(1)", "Dial: more", "one step up"),
    _key("dial.least", "home", "turn(-1000)", "Dial: least", "to the minimum"),
    _key("dial.most", "end", "turn(1000)", "Dial: most", "to the maximum"),
)
EDITING_MOVES = (
    _key("edit.up", "up", "app.focus_previous", "Edit: field above", "previous field"),
    _key("edit.down", "down", "app.focus_next", "Edit: field below", "next field"),
    _key(
        "edit.page_down",
        "pagedown",
        "screen.scroll_lists(1)",
        "Edit: lists down",
        "scroll the lists a page down",
    ),
    _key(
        "edit.page_up",
        "pageup",
        "screen.scroll_lists(-1)",
        "Edit: lists up",
        "scroll the lists a page up",
    ),
)
EDITING = (
    _key("edit.keep", "enter", "accept", "Edit: keep", "keep the edit as a query of the trail"),
    _key("edit.leave", "escape", "leave", "Edit: leave", "discard the edit"),
    *EDITING_MOVES,
)
MAP = (
    _key("map.left", "h,left", "walk(-1, 0)", "Left", "move the cursor left"),
    _key("map.right", "l,right", "walk(1, 0)", "Right", "move the cursor right"),
    _key("map.up", "k,up", "walk(0, -1)", "Up", "move the cursor up"),
    _key("map.down", "j,down", "walk(0, 1)", "Down", "move the cursor down"),
    _key("map.far_left", "H,shift+left", "walk(-8, 0)", "Far left", "eight columns left"),
    _key("map.far_right", "L,shift+right", "walk(8, 0)", "Far right", "eight columns right"),
    _key("map.far_up", "K,shift+up", "walk(0, -4)", "Far up", "four lines up"),
    _key("map.far_down", "J,shift+down", "walk(0, 4)", "Far down", "four lines down"),
    _key("map.in", "plus,equals_sign", "zoom(1)", "Zoom in", "zoom in around the cursor"),
    _key("map.out", "minus", "zoom(-1)", "Zoom out", "zoom out"),
    _key("map.whole", "0", "whole", "Whole map", "show the whole library"),
    _key("map.next", "n,tab", "result(1)", "Next result", "next result; 1 to 9 go to that rank"),
    _key("map.before", "p,shift+tab", "result(-1)", "Previous result", "previous result"),
    _key("map.colours", "c", "colours", "Colours", "colour by genre, or by folder"),
    _key("map.shapes", "s", "shapes", "Shapes", "symbols instead of colours"),
    _key("map.play", "space", "play", "Play / pause", "play the track under the cursor"),
    _key("map.mark", "m", "mark", "Mark", "add to the crate, or remove from it"),
    _key("map.go", "enter", "go", "Go", "go to it in the list, else like it"),
    _key("map.leave", "escape,v,q", "leave", "Leave", "back to the search"),
)
LIBRARY = (
    _key("library.pause", "p,space", "pause", "Pause / resume", "pause or resume indexing"),
    _key("library.look", "i", "look", "Rescan", "index what is new or changed"),
    _key("library.retry", "r", "retry", "Retry", "retry the file, or all in the folder"),
    _key("library.reveal", "Y", "reveal", "Reveal", "show it in its folder"),
    _key("library.open", "o", "app.open_folder", "Open folder", "add another music folder"),
    _key("library.left", "h,left", "turn('folders')", "Folders", "go to the list of folders"),
    _key(
        "library.right",
        "l,right",
        "turn('failures')",
        "Files",
        "go to what failed or is left out",
    ),
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
"""Keys that act only in the focused part of the screen, where they take precedence."""
