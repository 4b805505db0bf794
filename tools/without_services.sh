#!/bin/sh
# Runs a command of apt, and keeps the services that it installs from being started: a port of theirs
# may be taken, and the tests start servers of their own.
set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod +x "$policy"
fi
"$@"
