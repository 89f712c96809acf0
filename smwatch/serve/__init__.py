"""The screen in a browser (extra `web`): each tab a terminal with an smwatch of its own."""
