"""Component classes that are looked up in the stylesheet when they are drawn with, not whenever anything changes."""

from __future__ import annotations

from functools import cache
from types import EllipsisType

from rich.style import Style
from textual.css.styles import RenderStyles
from textual.dom import DOMNode
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Spacing

from smwatch.tui.painting import Painted

NO_EDGE = Spacing(0, 0, 0, 0)


class Looks(Painted):
    """A widget whose component classes depend on the theme alone.

    Textual looks up all of them, of all widgets, whenever a screen comes to the front, the focus goes elsewhere or a
    class changes anywhere above: with the twenty of a stream that is up to 20 ms in which no key is heard. Serves
    "opened".
    """

    _looked_up_in = -1
    """Which version of the stylesheet, that is: of the theme."""
    _own: Style | None = None
    """Its own style, once it has been asked for."""
    _around: Spacing | EllipsisType | None = ...
    """What is around its lines, once it has been asked for."""

    @classmethod
    @cache
    def _get_component_classes(cls) -> frozenset[str]:
        """None that Textual need look up."""
        return frozenset()

    @classmethod
    @cache
    def _components(cls) -> frozenset[str]:
        return super()._get_component_classes()

    def get_component_styles(self, *names: str) -> RenderStyles:
        """The styles of component classes, merged; KeyError for what is none."""
        app = self.app
        if self._looked_up_in != app._css_update_count:
            self._looked_up_in = app._css_update_count
            self._component_styles.clear()
        for name in names:
            if name not in self._component_styles and name in self._components():
                node = DOMNode(classes=name)
                node._attach(self)
                app.stylesheet.apply(node, animate=False)
                self._component_styles[name] = node.styles
        return super().get_component_styles(*names)

    @property
    def rich_style(self) -> Style:
        """Its own style; Textual's goes up to the app each time it is asked, which may be for each line."""
        if self._own is None:
            self._own = super().rich_style
        return self._own

    def drawn_filters(self) -> list[LineFilter]:
        """What has to be done to colours: NO_COLOR. No style here has ANSI colours unless the theme keeps them."""
        return [each for each in self.get_line_filters() if not isinstance(each, ANSIToTruecolor)]

    def surroundings(self) -> Spacing | None:
        """Its border and padding; None where a fade or a tint lies over all of it.

        Textual looks up five styles of each widget above it for that, which may be for every few lines.
        """
        if self._around is ...:
            plain = self.opacity == 1 and not self.styles.tint.a
            self._around = self.styles.gutter if plain else None
        return self._around

    def notify_style_update(self) -> None:
        """Forget the style it had: theme, focus and classes come through here."""
        super().notify_style_update()
        self._own = None
        self._around = ...
