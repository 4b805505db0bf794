"""A view for operators, "Under the hood": what a server does, live, in a page of its own.

view        `Admin`: adds the view to a server, behind a check of the application's
operator    one operator: what is sent to the page, and what the page may ask for
actions     buttons that the application registers
notes       what the application tells its operators
sessions    the sessions that are here, and why the last ones have ended
packets     packets in and out, while somebody watches them
packed      the same for packets of MessagePack
snapshot    the state of the server as JSON
files       serves the folder `page/`
page_in_front  the page before a web application
"""

from trio_sio.admin.notes import Notes as Notes
from trio_sio.admin.view import Admin as Admin
