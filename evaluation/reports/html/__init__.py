"""One HTML file that holds everything of a report and asks no network for anything."""

from evaluation.reports.html.page import HtmlReport

__all__ = ["HtmlReport"]
