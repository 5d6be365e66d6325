"""Checks by the collector's metrics that each operation succeeded (2xx) at least once."""

import json
import os
import re
import sys
import urllib.request

url, token = os.environ["SORDINO_URL"], os.environ["SORDINO_TOKEN"]
request = urllib.request.Request(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"})
page = urllib.request.urlopen(request).read().decode()
line = r'^sordino_requests_total\{route="(.+?)",method="(.+?)",status="2xx"\} (\d+)$'
answered = {(route, method): int(count) for route, method, count in re.findall(line, page, re.M)}

paths = json.load(open(sys.argv[1], encoding="utf-8"))["paths"]
operations = [(path, method.upper()) for path in paths for method in paths[path] if method != "parameters"]
for path, method in operations:
    print(f"{answered.get((path, method), 0):6} × 2xx  {method} {path}")
if not all(answered.get(operation) for operation in operations):
    sys.exit("an operation was never answered with 2xx")
