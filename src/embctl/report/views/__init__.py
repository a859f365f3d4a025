"""What people see of a command's data: one renderable a kind of data. Reads outcomes, writes nothing."""

# Each registers its views as it is imported.
from embctl.report.views import editors, index, services, settings, trouble
from embctl.report.views.trouble import error_view
from embctl.report.views.view import view

__all__ = ["editors", "error_view", "index", "services", "settings", "trouble", "view"]
