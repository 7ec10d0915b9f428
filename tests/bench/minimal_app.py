"""The floor of a first frame: twelve lines of Textual with a header, thirty rows and a footer."""

from textual.app import App, ComposeResult
from textual.widgets import DataTable, Footer, Header


class MinimalApp(App[None]):
    def compose(self) -> ComposeResult:
        yield Header()
        yield DataTable()
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("first", "second", "third")
        table.add_rows([(f"row {number}", "value", "value") for number in range(30)])


if __name__ == "__main__":
    MinimalApp().run()
