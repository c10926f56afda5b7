#!/bin/sh
# Makes the broker's password file from the environment, so that no secret is in the repository or on a volume, and
# becomes the broker. A device's user name is its id in its topics: the access list goes by it.
set -eu
umask 077
here="$(dirname "$0")"
passwords="${MOSQUITTO_RUN:-/run/mosquitto}/passwords"
: > "$passwords"

# What is wrong: a variable, what it says, what was expected.
refuse() {
  echo "$1: $2 — expected $3" >&2
  exit 1
}

# A user, the variable of the password, the password. A second one of the same name would take the place of the first.
allow() {
  [ "${#3}" -ge 12 ] || refuse "$2" "${#3} letters" "at least 12"
  mosquitto_passwd -b "$passwords" "$1" "$3"
}

# The variable of a device's id, the id, the variable of its password, the password. Without an id it is simulated, in Node-RED's own
# container and as fusewise.
device() {
  case "$2" in
    '') return ;;
    *[!A-Za-z0-9_-]*) refuse "$1" "\"$2\"" "letters, digits, - and _" ;;
    shellies | go-eCharger | dlm) refuse "$1" "\"$2\"" "a device's id, not the beginning of everybody's topics" ;;
  esac
  if grep -q "^$2:" "$passwords"; then
    refuse "$1" "\"$2\"" "an id of its own: that name has another device, or Node-RED (fusewise)"
  fi
  allow "$2" "$3" "$4"
}

allow fusewise MQTT_PASSWORD "${MQTT_PASSWORD:-}"
device SHELLY_ID "${SHELLY_ID:-}" SHELLY_MQTT_PASSWORD "${SHELLY_MQTT_PASSWORD:-}"
device GO_E_SERIAL "${GO_E_SERIAL:-}" GO_E_MQTT_PASSWORD "${GO_E_MQTT_PASSWORD:-}"

exec mosquitto -c "${MOSQUITTO_CONF:-$here/mosquitto.conf}"
