"""installed.py BUILD < targets - what ninja has to build of what is installed."""

import json
import os
import sys

for target in json.load(sys.stdin):
    if target["installed"]:
        for path in target["filename"]:
            print(os.path.relpath(path, sys.argv[1]))
