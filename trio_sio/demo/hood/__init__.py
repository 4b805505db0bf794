"""The demo's second view, "Under the hood": `trio_sio.admin` with buttons of the demo's own.

view        puts the view together
access      who may see it
premises    what the demo's servers in one process share
stage       one button at a time
guest       clients in this process
exhibits    the buttons: a slow client, a held event loop, a flood
movers      clients that chat while one server takes over from another
"""
