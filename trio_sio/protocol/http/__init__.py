"""HTTP/1.1 without I/O: the grammar that h11 leaves to us, and rules for responses.

request_target    the four forms of a target
field_list        header fields that are lists
repeated_fields   header fields that come more than once
entity_tags       validators in lists
chunked           bodies in chunks
forwarded         whom a request comes from, as trusted proxies say
proxy_header      the header of the PROXY protocol
response_check    what a response of the application may be
other_protocols   what a connection may begin with in place of HTTP
errors            what can be wrong with a request's body
"""
