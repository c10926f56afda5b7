#!/bin/sh
# Makes the broker's password file from the environment, so that no secret is in the repository or on a volume, and
# becomes the broker. A device's user name is its id in its topics: the access list goes by it.
set -eu
umask 077
here="$(dirname "$0")"
passwords="${MOSQUITTO_RUN:-/run/mosquitto}/passwords"
: > "$passwords"

allow() {
  case "$1" in
    '' | *[!A-Za-z0-9_-]*) echo "\"$1\" cannot be a user name: letters, digits, - and _" >&2; exit 1 ;;
    shellies | go-eCharger | dlm) echo "\"$1\" is the beginning of everybody's topics" >&2; exit 1 ;;
  esac
  [ "${#2}" -ge 12 ] || { echo "the password of $1 has less than 12 letters" >&2; exit 1; }
  mosquitto_passwd -b "$passwords" "$1" "$2"
}

allow fusewise "${MQTT_PASSWORD:-}"
# Simulated devices come from Node-RED's own container, as fusewise.
if [ -n "${SHELLY_ID:-}" ]; then allow "$SHELLY_ID" "${SHELLY_MQTT_PASSWORD:-}"; fi
if [ -n "${GO_E_SERIAL:-}" ]; then allow "$GO_E_SERIAL" "${GO_E_MQTT_PASSWORD:-}"; fi

exec mosquitto -c "${MOSQUITTO_CONF:-$here/mosquitto.conf}"
