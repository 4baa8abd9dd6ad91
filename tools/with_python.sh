#!/bin/sh
# Run a script with the newest Python of this machine that works: sh tools/with_python.sh SCRIPT ARGUMENT...
# Each candidate must run a line, because a pyenv shim exists for versions that are not switched on.
# PYTHON=… chooses another.
right='import sys; sys.exit(sys.version_info < (3, 11))'
for python in ${PYTHON:-python3.13 python3.12 python3.11 python3}; do
    if "$python" -c "$right" >/dev/null 2>&1; then
        exec "$python" "$@"
    fi
done
echo "mlnb needs Python 3.11 or newer; tried: ${PYTHON:-python3.13 python3.12 python3.11 python3}." >&2
echo "Run: sudo apt install python3 python3-venv    (or: brew install python)" >&2
exit 1
