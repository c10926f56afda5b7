#!/bin/sh
# First run of the Docker stack: writes random passwords into .env where they are missing, and says what to open.
# What stands there already stays. Needs nothing but a shell.
set -eu
cd "${1:-$(dirname "$0")/..}"
umask 077

random() {
  # Letters and digits: some devices take nothing else in a password.
  LC_ALL=C tr -dc 'A-Za-z0-9' < /dev/urandom 2> /dev/null | head -c "$1"
}
has() { grep -q "^$1=." .env; }
give() { has "$1" || { printf '%s=%s\n' "$1" "$2" >> .env; made="$made $1"; }; }

made=
[ -e .env ] || printf '# What docker compose and npm start read; docs/install.md lists more. Keep it to yourself.\nSIMULATE=1\n' > .env
chmod 600 .env
# A file that does not end with a line end would swallow the first variable.
[ -z "$(tail -c 1 .env)" ] || echo >> .env

give EDITOR_PASSWORD "$(random 20)"
give CREDENTIAL_SECRET "$(random 40)"
give MQTT_PASSWORD "$(random 24)"
give SHELLY_MQTT_PASSWORD "$(random 20)"
give GO_E_MQTT_PASSWORD "$(random 20)"
give INFLUX_ADMIN_PASSWORD "$(random 32)"
give INFLUX_PASSWORD "$(random 32)"
give INFLUX_READ_PASSWORD "$(random 32)"
give GRAFANA_PASSWORD "$(random 20)"

echo "passwords are in .env${made:+; new:$made}"
cat << 'TEXT'
next:  docker compose up -d --build
then:  http://localhost:1880/dashboard   the house (user admin, EDITOR_PASSWORD)
       http://localhost:1880/            the editor (the same)
       http://localhost:3000/            Grafana (user admin, GRAFANA_PASSWORD)
It starts with a simulated house. Your own devices: docs/install.md.
TEXT
