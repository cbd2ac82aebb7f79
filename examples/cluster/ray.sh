#!/bin/bash
# A Ray cluster for newsdata on hosts that share a file system. Every host has the same environment.
#
#   ray.sh head IP           on the first host
#   ray.sh worker IP HEAD    on each other host; HEAD is the IP of the first
#
# The cluster lets in only who has the token in the file RAY_AUTH_TOKEN_PATH (by default ~/.ray/auth_token, which `head` makes
# if there is none), and reports nothing. Copy the file to each other host before you start Ray there.
# Then, on a host of the cluster:
#   RAY_ADDRESS=HEAD:6379 RAY_AUTH_MODE=token newsdata build /shared/archive /shared/finews --engine ray
set -euo pipefail
export RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0

case "$1" in
  head)
    if [ -z "${RAY_AUTH_TOKEN:-}" ] && [ -z "${RAY_AUTH_TOKEN_PATH:-}" ]; then ray get-auth-token --generate > /dev/null; fi
    exec ray start --head --node-ip-address="$2" --port=6379 --include-dashboard=false --disable-usage-stats ${RAY_OPTIONS:-} ;;
  worker) exec ray start --node-ip-address="$2" --address="$3:6379" --disable-usage-stats ${RAY_OPTIONS:-} ;;
  *) echo "usage: ray.sh head IP | worker IP HEAD" >&2; exit 2 ;;
esac
