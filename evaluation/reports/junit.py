from evaluation.reports.base import Report
class JUnitReport(Report):
    name="junit"
    suffixes=(".junit",)
    def write(self, runs, path): ...
