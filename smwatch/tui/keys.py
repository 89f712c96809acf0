"""Every key in one table: bindings, the help screen and the README are made from it, and users may change it by id."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from textual.binding import Binding


class Key(msgspec.Struct, frozen=True):
    """One thing that keys do."""

    id: str
    """Stable name for the keymap in the config file; the part before the dot is the context."""
    keys: str
    """Textual's names of the keys, with commas between."""
    action: str
    word: str
    """One word for the footer and the command palette."""
    help: str
    """One sentence for the help screen and the tooltip."""
    shown: bool = False
    """Whether the footer offers it."""


CONTEXTS = {
    "watch": "Anywhere on the main screen",
    "stream": "In the stream",
    "page": "On a page (secret, principal, event, alarms, help)",
    "names": "While picking event names",
    "alarms": "On the alarms screen",
    "app": "Everywhere",
}

KEYS: tuple[Key, ...] = (
    Key(
        "watch.filter",
        "slash,ampersand",
        "filter",
        "filter",
        "Type a filter; Enter keeps it, Escape takes it back",
        True,
    ),
    Key("watch.names", "f", "names", "names", "Pick event names, with their counts", True),
    Key("watch.clear", "backspace", "clear", "clear", "Take all filters away; again: put them back"),
    Key("watch.alarms_only", "exclamation_mark", "word('alarm')", "alarms only", "Only events that belong to an alarm"),
    Key("watch.writes", "w", "word('write')", "writes only", "Only calls that change something"),
    Key("watch.errors", "x", "word('error')", "errors only", "Only calls that did not succeed"),
    Key("watch.window_5m", "1", "window(5)", "5 min", "Only the last 5 minutes"),
    Key("watch.window_15m", "2", "window(15)", "15 min", "Only the last 15 minutes"),
    Key("watch.window_1h", "3", "window(60)", "1 h", "Only the last hour"),
    Key("watch.window_6h", "4", "window(360)", "6 h", "Only the last 6 hours"),
    Key("watch.window_24h", "5", "window(1440)", "24 h", "Only the last 24 hours"),
    Key("watch.window_7d", "6", "window(10080)", "7 d", "Only the last 7 days"),
    Key("watch.window_all", "0", "window(0)", "all time", "Everything that is in memory"),
    Key("watch.next_alarm", "e", "alarm(1)", "next alarm", "Go to the next older event of an alarm", True),
    Key("watch.previous_alarm", "E", "alarm(-1)", "previous alarm", "Go to the next newer event of an alarm"),
    Key("watch.alarms", "a", "alarms", "alarms", "All alarms: why, what to do, acknowledge, mute, close", True),
    Key(
        "watch.acknowledge",
        "A",
        "acknowledge",
        "acknowledge",
        "Acknowledge the worst alarm, or the one under the cursor",
    ),
    Key("watch.context", "z", "context", "context", "Show what the filter hides, dim, around its matches"),
    Key("watch.next_match", "n", "match(1)", "next match", "Go to the next match below (with z), or the next error"),
    Key("watch.previous_match", "N", "match(-1)", "previous match", "Go to the match above, or the error above"),
    Key("watch.mark", "m", "mark", "mark", "Mark the event under the cursor"),
    Key("watch.next_mark", "u", "next_mark", "next mark", "Go to the next marked event"),
    Key("watch.time", "at,T", "time", "time", "Jump to a time: 14:05, 2026-11-23 14:05, or 2h for two hours ago"),
    Key("watch.principal", "P", "principal", "principal", "Everything this principal touched: its blast radius"),
    Key("watch.group", "v", "group", "group by", "Group by secret, principal or event name, with counts"),
    Key("watch.ask", "o", "ask", "ask AWS", "Ask AWS for what events can't say of this secret (never its value)"),
    Key("watch.pane", "i", "pane", "pane", "Show or hide the pane with the details"),
    Key("watch.histogram", "H", "histogram", "histogram", "Show or hide the histogram"),
    Key("watch.order", "O", "order", "order", "Newest event first, or last"),
    Key("watch.zone", "t", "zone", "time zone", "Times in UTC, local, or as long ago"),
    Key("watch.copy", "y,c", "copy", "copy", "Copy the next command of an alarm, or the event as JSON"),
    Key("watch.copy_ticket", "Y", "copy_as('ticket')", "copy line", "Copy the event as one line for a ticket"),
    Key(
        "watch.copy_command",
        "C",
        "copy_as('command')",
        "copy command",
        "Copy the aws command that finds the event again",
    ),
    Key("watch.export", "X,ctrl+s", "export", "export", "Write the filtered events to a file"),
    Key("watch.poll", "r,ctrl+r", "poll", "ask now", "Ask the sources now"),
    Key("watch.sources", "S", "sources", "sources", "How each source is doing: delay, completeness, gaps"),
    Key("watch.wall", "W", "wall", "wall", "The ops wall: clock, alarms, health and rates in large"),
    Key("watch.switch", "tab", "switch", "switch", "Between the stream and the details"),
    Key("watch.back", "escape", "back", "back", "One step back; never quits"),
    Key("stream.down", "down,j", "move(1)", "down", "The next line"),
    Key("stream.up", "up,k", "move(-1)", "up", "The previous line; past the newest event: follow"),
    Key("stream.page_down", "pagedown,space", "page(1)", "page down", "A screenful down"),
    Key("stream.page_up", "pageup,b", "page(-1)", "page up", "A screenful up"),
    Key("stream.half_down", "ctrl+d", "page(0.5)", "half down", "Half a screenful down"),
    Key("stream.half_up", "ctrl+u", "page(-0.5)", "half up", "Half a screenful up"),
    Key("stream.top", "home,g", "edge(0)", "top", "The top line"),
    Key("stream.bottom", "end", "edge(1)", "bottom", "The bottom line"),
    Key("stream.follow", "G,F", "follow", "follow", "Go to the newest event and follow"),
    Key("stream.pause", "p,equals_sign", "pause", "pause", "Stop following; again: follow"),
    Key("stream.open", "enter", "open", "open", "The secret and the event in detail", True),
    Key("page.down", "down,j", "move(1)", "down", "The next line that leads somewhere, or scroll"),
    Key("page.up", "up,k", "move(-1)", "up", "The previous line that leads somewhere, or scroll"),
    Key("page.page_down", "pagedown,space", "page(1)", "page down", "A screenful down"),
    Key("page.page_up", "pageup,b", "page(-1)", "page up", "A screenful up"),
    Key("page.half_down", "ctrl+d", "page(0.5)", "half down", "Half a screenful down"),
    Key("page.half_up", "ctrl+u", "page(-0.5)", "half up", "Half a screenful up"),
    Key("page.top", "home,g", "edge(0)", "top", "The first line"),
    Key("page.bottom", "end,G", "edge(1)", "bottom", "The last line"),
    Key("page.find", "slash", "", "find", "Look for a text on the page, or in the details when they have the focus"),
    Key("page.find_next", "n,N", "", "next", "The next or the previous place that has it"),
    Key("page.copy", "y,c", "", "copy", "Copy the command on the line, or what the page is about"),
    Key("page.back", "escape,q", "", "back", "One step back"),
    Key("page.choose", "enter", "choose", "choose", "Go where the line leads; fold or unfold JSON"),
    Key("names.one", "1-9", "", "one", "Only this name, at once"),
    Key("names.tick", "space", "tick", "tick", "Tick or untick a name", True),
    Key("names.apply", "enter", "apply", "apply", "Show the ticked names, or the one under the cursor", True),
    Key("names.none", "0", "none", "all", "All names again", True),
    Key("names.back", "escape,f,q", "back", "back", "Leave it as it was", True),
    Key("alarms.acknowledge", "A", "acknowledge", "acknowledge", "Acknowledge it, with a note", True),
    Key("alarms.note", "N", "note", "note", "Add a note to it", True),
    Key("alarms.mute", "M", "mute", "mute", "Make no noise about it for a while", True),
    Key("alarms.close", "X", "close", "close", "Say that it is over, with a note", True),
    Key("app.help", "question_mark,f1,h", "help", "help", "All keys, and the filter language", True),
    Key("app.palette", "colon,ctrl+p", "command_palette", "palette", "Find a command by its name"),
    Key("app.quit", "q", "quit", "quit", "Leave smwatch", True),
    Key("app.interrupt", "ctrl+c", "interrupt", "quit", "Twice: leave smwatch"),
)
BY_ID = {key.id: key for key in KEYS}


def bindings(context: str, *, priority: bool = False) -> list[Binding]:
    """The bindings of one context."""
    return [
        Binding(key.keys, key.action, key.word, show=key.shown, id=key.id, tooltip=key.help, priority=priority)
        for key in KEYS
        if key.action and key.id.partition(".")[0] == context
    ]


_NAMES = {
    "slash": "/",
    "ampersand": "&",
    "exclamation_mark": "!",
    "question_mark": "?",
    "equals_sign": "=",
    "colon": ":",
    "at": "@",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "down": "↓",
    "up": "↑",
    "enter": "Enter",
    "escape": "Esc",
    "backspace": "Backspace",
    "space": "Space",
    "home": "Home",
    "end": "End",
    "tab": "Tab",
    "f1": "F1",
}


def name(key: str) -> str:
    """A key as it is printed on keyboards."""
    modifier, plus, rest = key.partition("+")
    return f"{modifier.capitalize()}+{rest.upper()}" if plus else _NAMES.get(key, key)


def told(keys: str) -> str:
    """All keys of an entry, as people write them."""
    return " ".join(name(key) for key in keys.split(","))


def table() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """(context, [(keys, help)]) in the order of the table."""
    for context, title in CONTEXTS.items():
        yield title, [(told(key.keys), key.help) for key in KEYS if key.id.partition(".")[0] == context]
