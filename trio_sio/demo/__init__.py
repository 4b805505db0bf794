"""The demo: a small chat, served by `python -m trio_sio`.

`page` serves the files of the folder `page/`, `words` checks what people type, `hall` holds the
tables (who is here, which rooms, what was said), `neighbours` asks the other workers for theirs,
and `application` ties them to a `trio_sio.Server`.
It is written against the public API alone, as any application would be.
"""
