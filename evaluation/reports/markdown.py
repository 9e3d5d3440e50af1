from evaluation.reports.base import Report
class MarkdownReport(Report):
    name="markdown"
    suffixes=(".markdown",)
    def write(self, runs, path): ...
