#!/bin/sh
# Makes the random secrets that docker-compose.yml mounts, in ./secrets. An existing secret is never overwritten.
set -eu
umask 077
cd "$(dirname "$0")/.."
mkdir -p secrets

make_secret() {
  file="secrets/$1"
  if [ -e "$file" ]; then
    echo "kept  $file"
    return
  fi
  # 32 random bytes as 64 hexadecimal digits: safe in XML, YAML and shells.
  secret=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
  [ "${#secret}" -eq 64 ] || { echo "could not read 32 bytes from /dev/urandom" >&2; exit 1; }
  # noclobber: if somebody makes the same secret at the same moment, one of the two fails.
  (set -C; printf '%s\n' "$secret" > "$file")
  # Compose mounts the file itself and containers run as other users, so all may read the file;
  # on this machine the directory keeps everybody else out.
  chmod 444 "$file"
  echo "made  $file"
}

make_secret clickhouse_password
make_secret grafana_admin_password
make_secret privacy_hash_key
chmod 700 secrets
