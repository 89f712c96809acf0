"""One table holds every key; the keymap changes it; nothing hangs on a key that some terminals swallow."""

from __future__ import annotations

import asyncio
import pkgutil
from importlib import import_module

import pytest
from textual.binding import Binding
from textual.command import Command, CommandList
from textual.dom import DOMNode
from textual.events import Key
from textual.widgets import Input

import smwatch.tui
from smwatch.rules.engine import Engine
from smwatch.settings import SettingsError, UiSettings
from smwatch.store.store import Store
from smwatch.tui.health import STALE_AFTER
from smwatch.tui.keys import TOGETHER, KeyTable, bindings
from smwatch.tui.keytable import BY_ID, CONTEXTS, KEYS
from smwatch.tui.outside import Outside
from smwatch.tui.screens.alarms import AlarmsScreen
from smwatch.tui.screens.groups import GroupsScreen
from smwatch.tui.screens.prompt import PromptScreen
from smwatch.tui.screens.wall import WallScreen
from smwatch.tui.screens.watch import WatchScreen
from smwatch.tui.widgets.filter_line import FilterLine
from tests import records
from tests.rules.judging import catalogue
from tests.tui.scene import NOW, Stage, ago, reads

SIZE = (160, 50)


def own_bindings() -> list[tuple[str, Binding]]:
    """Every binding that a class of the screen brings itself."""
    for module in pkgutil.walk_packages(smwatch.tui.__path__, "smwatch.tui."):
        import_module(module.name)
    found, classes = [], list[type[DOMNode]](DOMNode.__subclasses__())
    while classes:
        each = classes.pop()
        classes += each.__subclasses__()
        if each.__module__.startswith("smwatch."):
            given = each.__dict__.get("BINDINGS", [])
            found += [(each.__name__, one) for one in given if isinstance(one, Binding)]
            assert len([one for one in given if isinstance(one, Binding)]) == len(given), each
    return found


def test_every_binding_is_in_the_table() -> None:
    found = own_bindings()
    assert {one.id for _, one in found} == {key.id for key in KEYS if key.action}
    for where, one in found:
        assert one.id is not None
        key = BY_ID[one.id]
        assert (one.key, one.action, one.description, one.tooltip) == (key.keys, key.action, key.word, key.help), where


def test_every_context_has_keys_and_every_key_a_context() -> None:
    assert {key.context for key in KEYS} == set(CONTEXTS)
    assert len(BY_ID) == len(KEYS)


def test_nothing_depends_on_a_control_or_function_key_alone() -> None:
    for key in KEYS:
        if key.id != "app.interrupt":  # q leaves, too
            assert any("+" not in each and not each.startswith("f1") for each in key.keys.split(",")), key.id


def test_no_key_does_two_things_in_one_place() -> None:
    for contexts in (*((context,) for context in CONTEXTS), TOGETHER[0], TOGETHER[1]):
        keys = [each for context in contexts for one in bindings(context) for each in one.key.split(",")]
        assert len(keys) == len(set(keys)), contexts


@pytest.mark.parametrize(
    ("keymap", "said"),
    [
        ({"watch.filtr": "x"}, "did you mean 'watch.filter'"),
        ({"watch.filter": "f"}, "f can't be both watch.filter and watch.names"),
        ({"watch.filter": "?"}, "can't be both"),
        ({"watch.filter": "meta+b"}, "'meta+b' is not a key"),
        ({"watch.filter": ""}, "'' is not a key"),
        ({"names.one": "x"}, "there is no 'names.one'"),
    ],
)
def test_a_keymap_that_can_not_be_is_refused(keymap: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=r"ui\.keymap") as refused:
        KeyTable(keymap)
    assert said in str(refused.value)


def test_keys_may_be_written_as_they_are_printed() -> None:
    table = KeyTable({"watch.filter": "F2, ctrl+f, ^"})
    assert table.keymap == {"watch.filter": "f2,ctrl+f,circumflex_accent"}
    assert table.told("watch.filter") == "F2 Ctrl+F ^"


def test_two_keys_can_be_exchanged() -> None:
    table = KeyTable({"watch.names": "v", "watch.group": "f"})
    assert (table.told("watch.names"), table.told("watch.group")) == ("v", "f")


async def test_the_keymap_holds_on_the_screen_in_the_footer_and_in_the_help() -> None:
    stage = Stage(reads(3), ui=UiSettings(keymap={"watch.filter": "^", "watch.names": "v", "watch.group": "f"}))
    async with stage.app.run_test(size=SIZE) as pilot:
        assert "^ filter" in stage.lines()[-1]
        await pilot.press("slash")
        line = stage.app.screen.query_one(FilterLine)
        assert not line.is_open
        await pilot.press("circumflex_accent")
        assert line.display
        await pilot.press("escape", "f")
        assert isinstance(stage.app.screen, GroupsScreen)
        await pilot.press("escape", "question_mark")
        await pilot.pause()
        assert any(line.split() == ["^", "Type", "a", *line.split()[3:]] for line in stage.lines())


def test_a_page_names_a_key_only_where_it_works_in_every_place_of_the_page() -> None:
    assert KeyTable().copies == "y copies"
    assert KeyTable({"details.copy": "ctrl+y,c"}).copies == "c copies"
    assert not KeyTable({"details.copy": "ctrl+y"}).copies


async def test_the_keymap_holds_in_what_the_pages_say() -> None:
    copying = dict.fromkeys(("watch.copy", "details.copy", "alarms.copy"), "f3")
    keymap = {**copying, "page.choose": "f2", "watch.next_match": "f4", "watch.previous_match": "f5"}
    given = [records.read_deleted("prod/gone", eventTime=ago(20), id="gone")]
    stage = Stage([*reads(3), *given], store=Store(engine=Engine(catalogue())), ui=UiSettings(keymap=keymap))
    async with stage.app.run_test(size=(160, 200)) as pilot:
        for keys, said in (
            (["a"], ["F3 copies", "F2 jumps there"]),
            (["j", "P"], ["in its order; F3 copies a rotation list"]),
            (["j", "enter"], ["F2 folds, F3 copies", "F2 jumps there"]),
            (["j", "P", "slash"], ["F4 and F5 go on"]),
        ):
            await pilot.press(*keys)
            await pilot.pause()
            shown = "\n".join(stage.lines())
            assert all(words in shown for words in said), (keys, shown)
            assert not any(words in shown for words in ("y copies", "Enter folds", "Enter jumps", "n and N")), keys
            for _ in range(3):
                await pilot.press("escape")


@pytest.mark.parametrize("key", ["a", "v", "W", "S", "question_mark", "T", "f", "L"])
async def test_escape_goes_back_from_every_screen(key: str) -> None:
    stage = Stage(reads(3), ui=UiSettings(filters={"failed": "error"}))
    async with stage.app.run_test(size=SIZE) as pilot:
        await pilot.press(key)
        assert not isinstance(stage.app.screen, WatchScreen)
        await pilot.press("escape")
        assert isinstance(stage.app.screen, WatchScreen)
        assert stage.app.is_running


@pytest.mark.parametrize("before", [["slash", "d"], ["T", "1"], ["a"], ["W"], ["colon", "x"], ["f"], ["j", "enter"]])
async def test_ctrl_c_twice_leaves_from_anywhere(before: list[str]) -> None:
    stage = Stage(reads(3))
    async with stage.app.run_test(size=SIZE) as pilot:
        await pilot.press(*before, "ctrl+c")
        assert stage.app.is_running
        await pilot.press("ctrl+c")
    assert stage.app.return_value == 0


async def test_letters_are_only_letters_in_a_question() -> None:
    stage = Stage(reads(3))
    async with stage.app.run_test(size=SIZE) as pilot:
        await pilot.press("T", *"qhW?:a")
        assert isinstance(stage.app.screen, PromptScreen)
        assert stage.app.screen.query_one(Input).value == "qhW?:a"


async def test_a_key_of_the_main_screen_says_where_it_works() -> None:
    stage = Stage(reads(3))
    async with stage.app.run_test(size=SIZE) as pilot:
        await pilot.press("a")
        assert isinstance(stage.app.screen, AlarmsScreen)
        await pilot.press("j", "f", "R", "y", "f")
        await pilot.pause()
        told = [note.message for note in stage.app._notifications if "main screen" in note.message]
        assert told == ["f (names) works on the main screen: Esc goes back to it"]


async def test_the_palette_offers_what_keys_do_here_and_the_saved_filters() -> None:
    stage = Stage(reads(3), ui=UiSettings(filters={"failed": "error [b]"}))
    async with stage.app.run_test(size=SIZE) as pilot:
        offered = {command.title: command.help for command in stage.app.get_system_commands(stage.app.screen)}
        assert offered["filter"] == "Type a filter; Enter keeps it, Escape takes it back (/ &)"
        assert "down" not in offered
        await pilot.press("colon", *"failed")
        while "error [b]" not in stage.text():  # the palette gathers in its own time
            await pilot.pause(0.01)
        await pilot.press("enter")
        await pilot.pause()
        assert "/ error [b]" in stage.lines()[-1]


async def test_pages_of_commands_can_be_asked_for_before_they_are_laid_out() -> None:
    stage = Stage(reads(3))
    async with stage.app.run_test(size=SIZE) as pilot:
        with stage.app._context():
            stage.app.action_command_palette()
        palette = stage.app.screen
        while not palette.query(CommandList):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        commands = palette.query_one(CommandList)
        while commands.highlighted is None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        assert not commands.scrollable_content_region
        with stage.app._context():
            await palette.run_action("command_list('page_down')")
            await palette.run_action("command_list('page_up')")
        assert commands.highlighted == 0
        await pilot.pause(0.1)
        await pilot.press("pagedown")
        assert commands.highlighted


@pytest.mark.parametrize("key", ["at", "a", "f", "L", "question_mark", "v", "S", "W", "colon"])
async def test_a_screen_that_is_left_twice_at_once_leaves_the_one_below(key: str) -> None:
    stage = Stage(reads(3), ui=UiSettings(filters={"failed": "error"}))
    async with stage.app.run_test(size=SIZE) as pilot:
        await pilot.press(key)
        screen = stage.app.screen
        assert not isinstance(screen, WatchScreen)
        for _ in range(2):
            screen.call_next(lambda: screen.dismiss() and None)
        await pilot.pause()
        assert isinstance(stage.app.screen, WatchScreen)


async def test_a_command_that_is_chosen_several_times_at_once_is_carried_out_once() -> None:
    stage = Stage(reads(3))
    async with stage.app.run_test(size=SIZE) as pilot:
        await pilot.press("colon", *"alarms")
        commands = stage.app.screen.query_one(CommandList)
        while not isinstance(first := commands.highlighted_option, Command) or "larms" not in f"{first.hit.text}":
            await pilot.pause(0.01)  # the palette gathers in its own time
        for _ in range(3):
            stage.app.post_message(Key("enter", "\r"))
        while not isinstance(stage.app.screen, AlarmsScreen):
            await pilot.pause()
        await pilot.pause()
        assert [isinstance(screen, AlarmsScreen) for screen in stage.app.screen_stack].count(True) == 1


async def test_the_palette_lists_commands_in_the_order_of_the_table_of_keys() -> None:
    stage = Stage(reads(3), ui=UiSettings(filters={"failed": "error"}))
    async with stage.app.run_test(size=(100, 150)) as pilot:
        await pilot.press("colon")
        while "all time" not in stage.text():  # the palette gathers in its own time
            await pilot.pause(0.01)
        lines = [line.strip(" │▎▊█") for line in stage.lines()]
        places = list(map(lines.index, ("filter: failed", "5 min", "15 min", "1 h", "6 h", "24 h", "7 d", "all time")))
        assert places == sorted(places)


async def test_the_wall_needs_no_key_but_takes_some() -> None:
    stage = Stage(reads(3))
    async with stage.app.run_test(size=SIZE) as pilot:
        await pilot.press("W")
        assert isinstance(stage.app.screen, WallScreen)
        await pilot.press("t")
        assert stage.app.desk.zone.value == "local"
        assert stage.now == NOW


async def test_sentences_name_the_keys_that_the_user_has() -> None:
    ui = UiSettings(keymap={"watch.clear": "delete", "watch.window_7d": "7", "app.quit": "Q"})
    stage = Stage(ui=ui, outside=Outside(reach_back=lambda _: None))
    async with stage.app.run_test(size=SIZE) as pilot:
        assert any(line.split()[:5] == ["7", "the", "last", "7", "days,"] for line in stage.lines())
        await pilot.press("escape")
        assert "Q leaves smwatch" in stage.lines()[-1]
        stage.bring(*reads(2))
        await pilot.press("slash", *"nosuch", "enter")
        assert "Delete takes the filter away" in stage.text()


async def test_what_is_said_in_passing_names_the_keys_that_the_user_has() -> None:
    ui = UiSettings(keymap={"watch.poll": "f7", "stream.open": "f8", "alarms.acknowledge": "f6", "app.interrupt": "f9"})
    stage = Stage(
        [records.read_deleted("prod/gone", eventTime=ago(20))], store=Store(engine=Engine(catalogue())), ui=ui
    )
    async with stage.app.run_test(size=(99, 30)) as pilot:
        await pilot.press("i")
        assert "F8 opens the details" in stage.lines()[-1]
        stage.now += 2 * STALE_AFTER
        stage.app.tick()
        await pilot.pause()
        assert "; F7 asks again now" in stage.text()
        for keys, told in (
            (("a", "N"), "it is open: F6 acknowledges it, with a note"),
            (("f9",), "F9 again leaves smwatch"),
        ):
            await pilot.press(*keys)
            await pilot.pause()
            assert [each.message for each in stage.app._notifications] == [told]
