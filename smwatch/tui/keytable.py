"""The table of keys: all that keys do, each under a stable id, by where it works."""

from __future__ import annotations

import msgspec


class Key(msgspec.Struct, frozen=True):
    """One thing that keys do."""

    id: str
    """Stable name for the keymap in the config file; the part before the dot is the context."""
    keys: str
    """Textual's names of the keys, with commas between; the usual ones, until the config file says otherwise."""
    action: str
    """Textual's action; "" for what the digits do in a list, which is no single action."""
    word: str
    """One word for the footer and the command palette."""
    help: str
    """One sentence for the help screen and the tooltip."""

    @property
    def context(self) -> str:
        """Where it works: one of CONTEXTS."""
        return self.id.partition(".")[0]


class Where(msgspec.Struct, frozen=True):
    """Where keys work."""

    title: str
    priority: bool = False
    """Whether its keys come before those of what has the focus."""


CONTEXTS = {
    "watch": Where("Anywhere on the main screen", priority=True),
    "stream": Where("In the stream"),
    "filter": Where("While typing a filter"),
    "page": Where("On any page (secret, principal, event, alarms, help)"),
    "details": Where("On a page that fills the screen"),
    "names": Where("While picking event names", priority=True),
    "saved": Where("While picking a saved filter", priority=True),
    "groups": Where("On the groups"),
    "alarms": Where("On the alarms screen"),
    "wall": Where("On the ops wall"),
    "prompt": Where("While answering a question"),
    "app": Where("Everywhere"),
}

KEYS: tuple[Key, ...] = (
    Key("watch.filter", "slash,ampersand", "filter", "filter", "Type a filter; Enter keeps it, Escape takes it back"),
    Key("watch.names", "f", "names", "names", "Pick event names, with their counts"),
    Key("watch.saved", "L", "saved", "saved filters", "Pick a filter saved in the config file"),
    Key("watch.clear", "backspace", "clear", "clear", "Take all filters away; again: put them back"),
    Key("watch.alarms_only", "exclamation_mark", "word('alarm')", "alarms only", "Only events that belong to an alarm"),
    Key("watch.writes", "w", "word('write')", "writes only", "Only calls that change something"),
    Key("watch.reads", "R", "word('read')", "reads only", "Only calls that read a secret's value"),
    Key("watch.errors", "x", "word('error')", "errors only", "Only calls that did not succeed"),
    Key("watch.denied", "D", "word('denied')", "denied only", "Only calls that were not allowed"),
    Key("watch.this_secret", "s", "this('secret')", "this secret", "Only the secret under the cursor; again: all"),
    Key("watch.this_user", "U", "this('user')", "this user", "Only the principal under the cursor; again: all"),
    Key("watch.window_5m", "1", "window(5)", "5 min", "Only the last 5 minutes"),
    Key("watch.window_15m", "2", "window(15)", "15 min", "Only the last 15 minutes"),
    Key("watch.window_1h", "3", "window(60)", "1 h", "Only the last hour"),
    Key("watch.window_6h", "4", "window(360)", "6 h", "Only the last 6 hours"),
    Key("watch.window_24h", "5", "window(1440)", "24 h", "Only the last 24 hours"),
    Key("watch.window_7d", "6", "window(10080)", "7 d", "Only the last 7 days"),
    Key("watch.window_all", "0", "window(0)", "all time", "Everything that is in memory"),
    Key("watch.next_alarm", "e", "alarm(1)", "next alarm", "Go to the next older event of an alarm"),
    Key("watch.previous_alarm", "E", "alarm(-1)", "previous alarm", "Go to the next newer event of an alarm"),
    Key("watch.alarms", "a", "alarms", "alarms", "All alarms: why, what to do, acknowledge, mute, close"),
    Key("watch.acknowledge", "A", "acknowledge", "acknowledge", "Acknowledge the alarm under the cursor, or the worst"),
    Key("watch.context", "z", "context", "context", "Show what the filter hides, dim, around its matches"),
    Key(
        "watch.next_match", "n", "match(1)", "next match", "Go to the next match below (in context), or the next error"
    ),
    Key("watch.previous_match", "N", "match(-1)", "previous match", "Go to the match above, or the error above"),
    Key("watch.mark", "m", "mark", "mark", "Mark the event under the cursor"),
    Key("watch.next_mark", "u", "next_mark", "next mark", "Go to the next marked event"),
    Key(
        "watch.other_record",
        "percent_sign",
        "other_record",
        "other record",
        "Go to the record that another account has of the same call",
    ),
    Key("watch.time", "at,T", "time", "time", "Jump to a time: 14:05, 2026-11-23 14:05, or 2h for two hours ago"),
    Key("watch.principal", "P", "principal", "principal", "Everything this principal touched: its blast radius"),
    Key("watch.group", "v", "group", "group by", "Group by secret, principal, event name and more, with counts"),
    Key("watch.ask", "o", "ask", "ask AWS", "Ask AWS for what events can't say of this secret (never its value)"),
    Key("watch.pane", "i", "pane", "pane", "Show or hide the pane with the details"),
    Key("watch.histogram", "H", "histogram", "histogram", "Show or hide the histogram"),
    Key("watch.order", "O", "order", "order", "Newest event first, or last"),
    Key("watch.zone", "t", "zone", "time zone", "Times in UTC, local, or as long ago"),
    Key("watch.copy", "y,c", "copy", "copy", "Copy the next command of an alarm, or the event as JSON"),
    Key("watch.copy_ticket", "Y", "copy_as('ticket')", "copy line", "Copy the event as one line for a ticket"),
    Key("watch.copy_command", "C", "copy_as('command')", "copy command", "Copy the aws command that finds the event"),
    Key("watch.export", "X,ctrl+s", "export", "export", "Write the filtered events to a file"),
    Key("watch.poll", "r,ctrl+r", "poll", "ask now", "Ask the sources now"),
    Key("watch.live_tail", "V", "live_tail", "live tail", "Live Tail on the log group, on or off: it costs money"),
    Key("watch.sources", "S", "sources", "sources", "How each source is doing: delay, completeness, gaps"),
    Key("watch.wall", "W", "wall", "wall", "The ops wall: clock, alarms, health and rates in large"),
    Key("watch.switch", "tab", "switch", "switch", "Between the stream and the details"),
    Key("watch.back", "escape", "back", "back", "One step back; never quits"),
    Key("stream.down", "down,j", "move(1)", "down", "The next line"),
    Key("stream.up", "up,k", "move(-1)", "up", "The previous line; past the newest event: follow"),
    Key("stream.page_down", "pagedown,space", "page(1)", "page down", "A screenful down"),
    Key("stream.page_up", "pageup,b", "page(-1)", "page up", "A screenful up"),
    Key("stream.half_down", "J,ctrl+d", "page(0.5)", "half down", "Half a screenful down"),
    Key("stream.half_up", "K,ctrl+u", "page(-0.5)", "half up", "Half a screenful up"),
    Key("stream.top", "home,g", "edge(0)", "top", "The top line"),
    Key("stream.bottom", "end", "edge(1)", "bottom", "The bottom line"),
    Key("stream.follow", "G,F", "follow", "follow", "Go to the newest event and follow"),
    Key("stream.pause", "p,equals_sign", "pause", "pause", "Stop following; again: follow"),
    Key("stream.open", "enter", "open", "open", "The secret and the event in detail"),
    Key("filter.complete", "tab", "complete", "complete", "Complete what is typed"),
    Key("filter.earlier", "up", "history(-1)", "earlier", "The filter before this one, also from the last time"),
    Key("filter.later", "down", "history(1)", "later", "The filter after this one"),
    Key("page.down", "down,j", "move(1)", "down", "The next line that leads somewhere, or scroll"),
    Key("page.up", "up,k", "move(-1)", "up", "The previous line that leads somewhere, or scroll"),
    Key("page.page_down", "pagedown,space", "page(1)", "page down", "A screenful down"),
    Key("page.page_up", "pageup,b", "page(-1)", "page up", "A screenful up"),
    Key("page.half_down", "J,ctrl+d", "page(0.5)", "half down", "Half a screenful down"),
    Key("page.half_up", "K,ctrl+u", "page(-0.5)", "half up", "Half a screenful up"),
    Key("page.top", "home,g", "edge(0)", "top", "The first line"),
    Key("page.bottom", "end,G", "edge(1)", "bottom", "The last line"),
    Key("page.choose", "enter", "choose", "go there", "Go where the line leads; fold or unfold JSON"),
    Key("details.find", "slash", "find", "find", "Look for a text on the page"),
    Key("details.find_next", "n", "find_next(1)", "next", "The next place that has it"),
    Key("details.find_previous", "N", "find_next(-1)", "previous", "The place before that has it"),
    Key(
        "details.other_record",
        "percent_sign",
        "other_record",
        "other record",
        "Go to the record that another account has of the same call",
    ),
    Key("details.copy", "y,c", "copy", "copy", "Copy the command on the line, or what the page is about"),
    Key("details.back", "escape,q", "back", "back", "One step back"),
    Key("names.one", "1-9", "", "one", "Only this name, at once"),
    Key("names.tick", "space", "tick", "tick", "Tick or untick a name"),
    Key("names.apply", "enter", "apply", "show ticked", "Show the ticked names, or the one under the cursor"),
    Key("names.none", "0", "none", "all", "All names again"),
    Key("names.back", "escape,f,q", "back", "back", "Leave it as it was"),
    Key("saved.one", "1-9", "", "one", "This filter, at once"),
    Key("saved.apply", "enter", "apply", "apply", "The filter under the cursor"),
    Key("saved.back", "escape,L,q", "back", "back", "Leave it as it was"),
    Key("groups.turn", "v,right,l", "turn(1)", "group by another", "Group by the next field"),
    Key("groups.turn_back", "V,left", "turn(-1)", "the one before", "Group by the field before"),
    Key("groups.recount", "r,ctrl+r", "recount", "count anew", "Count the groups anew"),
    Key("alarms.acknowledge", "A", "acknowledge", "acknowledge", "Acknowledge it, with a note"),
    Key("alarms.note", "N", "note", "note", "Add a note to it"),
    Key("alarms.mute", "M", "mute", "mute", "Make no noise about it for a while"),
    Key("alarms.close", "X", "close", "close", "Say that it is over, with a note"),
    Key("alarms.copy", "y,c", "copy", "copy", "Copy the next command of the alarm"),
    Key("alarms.switch", "tab", "switch", "switch", "Between the list and the alarm"),
    Key("alarms.back", "escape,q", "back", "back", "One step back"),
    Key("wall.zone", "t", "zone", "time zone", "Times in UTC, local, or as long ago"),
    Key("wall.back", "escape,q,W,enter", "back", "back", "To the stream"),
    Key("prompt.back", "escape", "back", "back", "Leave it unanswered"),
    Key("app.help", "question_mark,f1,h", "help", "help", "All keys, and the filter language"),
    Key("app.palette", "colon,ctrl+p", "command_palette", "palette", "Find a command by its name"),
    Key("app.quit", "q,ctrl+q", "quit", "quit", "Leave smwatch"),
    Key("app.interrupt", "ctrl+c", "interrupt", "quit", "Twice: leave smwatch, wherever you are"),
)
BY_ID = {key.id: key for key in KEYS}
MOVING = tuple(key.id for key in KEYS if key.action.startswith(("move(", "page(", "edge(")))
"""What nobody looks for by its name."""
