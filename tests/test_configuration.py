import re
from pathlib import Path

import pytest

from smwatch.configuration import READ_AGAIN, load
from smwatch.running.backstage import Backstage, demo_sources
from smwatch.running.in_force import build_rules
from smwatch.running.parts import Parts
from smwatch.settings import Settings, SettingsError
from smwatch.sources.audits import LONG_REACH
from smwatch.store.store import Store


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("smwatch.configuration.default_config_file", lambda: tmp_path / "none.toml")
    for name in ("SMWATCH_STATE_DIR", "SMWATCH_SINCE", "SMWATCH_LOG_GROUP"):
        monkeypatch.delenv(name, raising=False)


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_flags_win_over_the_environment_and_that_over_the_config_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config(tmp_path, 'since = "2h"\nprofile = "file"\n[logs]\ngroup = "file"\nlive_tail = true\n')
    monkeypatch.setenv("SMWATCH_SINCE", "3h")
    monkeypatch.setenv("SMWATCH_LOG_GROUP", "environment")
    settings = load(path, {"logs.group": "flag", "since": None})
    assert (settings.since, settings.profile, settings.logs.group, settings.logs.live_tail) == (
        "3h",
        "file",
        "flag",
        True,
    )


def test_everything_has_a_default() -> None:
    assert load(None, {}) == Settings()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sinse = '1h'", "'sinse'; did you mean 'since'"),
        ("[clodutrail]", "'clodutrail'; did you mean 'cloudtrail'"),
        ("[logs]\ngrup = 'x'", "'logs.grup'; did you mean 'logs.group'"),
        ("[cloudtrail]\nrate = 'fast'", "cloudtrail.rate"),
        ("[cloudtrail]\nrate = 20.0", "cloudtrail.rate"),
        ("[logs]\nrate = 0.01", "logs.rate"),
        ("[logs]\nrate = 26", "logs.rate"),
        ("[cloudtrail]\nsweep_every = 'often'", "cloudtrail.sweep_every"),
        ("[logs]\nsettle_lag = '0s'", "logs.settle_lag"),
        ("[store]\ncapacity = 1", "store.capacity"),
        ("[journal]\nretention = '5m'", "journal.retention: at least 3d"),
        ("[journal]\nretention = '3d'\n[logs]\nsettle_lag = '3d'", "journal.retention: at least 4d"),
        ("[ui]\nzone = 'mars'", "ui.zone: is one of utc, local"),
        ("[journal]\nenabled = 'no'", "journal.enabled: is true or false, not a text"),
        ("[logs]\nrate = 'fast'", "logs.rate: is a number, not a text"),
        ("config_file = 'other.toml'", "'config_file'"),
        ("since = 'later'", "later"),
        ("regions = 'eu-west-1'", "regions"),
        ("regions = [", "not TOML"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_write(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(config(tmp_path, text), {})
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_config_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        load(tmp_path / "missing.toml", {})


def test_a_config_file_that_is_nested_without_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="nested too deep"):
        load(config(tmp_path, "a = " + "[" * 100_000), {})


def test_a_rule_is_changed_in_a_table_of_its_own(tmp_path: Path) -> None:
    text = '[rules]\ndisable = ["A-1"]\n[rules.SMW-READ-01]\nseverity = "low"\n'
    rules = load(config(tmp_path, text), {}).rules
    assert (rules.disable, rules.overrides) == (("A-1",), {"SMW-READ-01": {"severity": "low"}})


def test_what_is_read_again_is_as_long_as_audits_look_back() -> None:
    assert READ_AGAIN == LONG_REACH


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('since = "yesterday"', "since"),
        ('since = "2999-01-01T00:00Z"', "since"),
        ('[cloudtrail]\nsweep_every = "often"', "cloudtrail.sweep_every"),
        ('[logs]\nsettle_lag = "0s"', "logs.settle_lag"),
        ("[cloudtrail]\nrate = 9.5", "cloudtrail.rate"),
        ("[logs]\nrate = 99.0", "logs.rate"),
        ("[store]\ncapacity = 3", "store.capacity"),
        ('[journal]\nretention = "1h"', "journal.retention"),
    ],
)
def test_a_value_of_the_config_file_that_means_nothing_is_said_with_file_and_key(
    tmp_path: Path, line: str, key: str
) -> None:
    (tmp_path / "c.toml").write_text(line)
    with pytest.raises(SettingsError) as caught:
        load(tmp_path / "c.toml", {})
    assert str(caught.value).startswith(f"{tmp_path / 'c.toml'}: {key}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('filter = "{ $.eventName ="', "filter: End a pattern that begins with { with }."),
        ('[ui.filters]\nmine = "{ $.eventName ="', "ui.filters.mine: End a pattern"),
        ('[ui]\ncolumns = ["sekret"]', "ui.columns: there is no column 'sekret'; there are mark, "),
        ('[ui]\ncolumns = ["time", "time"]', "ui.columns: time is there twice"),
        ('[ui]\ncolumns = ["secret:2"]', "ui.columns: 'secret:2': write a width of "),
        ('[ui]\ntheme = "drak"', "ui.theme: there is no theme 'drak'; there are dark, light, contrast, ansi, and "),
        ('[ui]\nstalls = "/no/such/folder/file"', "ui.stalls: can't write to /no/such/folder/file: No such file"),
        ('[ui.keymap]\nnothing = "x"', "ui.keymap: there is no 'nothing'; README lists them all"),
        ('[ui.keymap]\n"watch.filter" = "hyper+x"', "ui.keymap.watch.filter: 'hyper+x' is not a key: write x"),
        ('[ui.keymap]\n"watch.filter" = "q"', "ui.keymap: q can't be both "),
    ],
)
def test_what_the_screen_can_not_use_of_the_config_file_is_said_with_file_key_and_what_is_allowed(
    tmp_path: Path, text: str, says: str
) -> None:
    settings = load(config(tmp_path, text), {})
    with pytest.raises(SettingsError) as caught:
        Backstage(settings, demo_sources, remember=False)
    assert str(caught.value).startswith(f"{tmp_path / 'config.toml'}: {says}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[rules]\nfiles = ["/no/rules.toml"]', "rules.files: there is no file /no/rules.toml"),
        ('[rules]\ndisable = ["X-*"]', "rules.disable: there is no rule 'X-*': see `smwatch rules list`"),
        ('[rules.X-1]\nseverity = "low"', "rules.X-1: there is no such rule: see `smwatch rules list`"),
        ('[rules.SMW-DEL-01]\nseverity = "loud"', "rule SMW-DEL-01: severity: is one of info, low, "),
        ('[rules.lists]\nfriends = ["x"]', "rules.lists.friends: there is no such list: use org_accounts, "),
        ("[rules]\nlists = 3", "rules.lists: is a table of lists"),
    ],
)
def test_what_rules_can_not_be_used_is_said_with_file_and_key(tmp_path: Path, text: str, says: str) -> None:
    settings = load(config(tmp_path, text), {})
    with pytest.raises(SettingsError) as caught:
        build_rules(settings)
    assert str(caught.value).startswith(f"{tmp_path / 'config.toml'}: {says}")


def test_a_command_that_tells_more_of_what_is_wrong_with_rules_is_told_where_there_is_one(tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    settings = load(config(tmp_path, '[rules]\ndisable = ["X-1", "X-2"]'), {})
    with pytest.raises(SettingsError, match=r"'X-1': see `smwatch rules list` \(and 1 more\)$"):
        build_rules(settings)
    rules.write_text("[lists]\nfriends = []\ntools = 5\n")
    settings = load(config(tmp_path, f"[rules]\nfiles = ['{rules}']"), {})
    with pytest.raises(SettingsError, match=rf"\(and 1 more: `smwatch rules check {re.escape(str(rules))}`\)$"):
        build_rules(settings)


def test_a_flag_that_means_nothing_is_not_said_of_the_config_file(tmp_path: Path) -> None:
    settings = load(config(tmp_path, 'filter = "error"'), {"filter": "{ $.x", "rules.files": ("/no/rules.toml",)})
    with pytest.raises(SettingsError, match=r"^--filter: End a pattern"):
        Parts(settings, Store, remember=False)
    with pytest.raises(SettingsError, match=r"^--rules: there is no file /no/rules.toml"):
        build_rules(settings)


def test_a_value_that_means_nothing_is_not_said_of_the_config_file_where_it_comes_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "c.toml").write_text('since = "2h"')
    with pytest.raises(SettingsError, match=r"^--since: 'soon' is neither"):
        load(tmp_path / "c.toml", {"since": "soon"})
    monkeypatch.setenv("SMWATCH_SINCE", "soon")
    with pytest.raises(SettingsError, match=r"^SMWATCH_SINCE: 'soon' is neither"):
        load(tmp_path / "c.toml", {})
