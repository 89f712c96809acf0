"""New alarms to where people are (`[notify]` in the config file): each sent once, by one of several processes."""

from smwatch.notify.notified import Notified
from smwatch.notify.notifier import Notifier
from smwatch.notify.senders import NotifyError, Send, apprise_senders

__all__ = ["Notified", "Notifier", "NotifyError", "Send", "apprise_senders"]
