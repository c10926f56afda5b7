/** What a central system and its stations have to tell a person. By code: English, German; `{name}` is filled from the args. */
export const OCPP_TEXTS: Readonly<Record<string, readonly [string, string]>> = {
  'ocpp-port': [
    'Stations cannot come in, port {port}: {reason}. It is tried again until it is free.',
    'Stationen können nicht hereinkommen, Port {port}: {reason}. Es wird weiter versucht, bis er frei ist.',
  ],
  'ocpp-certificates': [
    'The certificates of the central system cannot be used: {reason}',
    'Die Zertifikate des Zentralsystems sind nicht brauchbar: {reason}',
  ],
  'ocpp-refused-400': [
    'Station {device} at {address} was refused: {reason}. Its settings must say OCPP 1.6 JSON.',
    'Station {device} an {address} wurde abgewiesen: {reason}. In der Station OCPP 1.6 JSON einstellen.',
  ],
  'ocpp-refused-401': [
    'Station {device} at {address} was refused: {reason}. The password in the station and in the table must be the same.',
    'Station {device} an {address} wurde abgewiesen: {reason}. Das Passwort muss in der Station und in der Tabelle dasselbe sein.',
  ],
  'ocpp-refused-403': [
    'Station {device} at {address} was refused: {reason}. Its address must begin with wss://.',
    'Station {device} an {address} wurde abgewiesen: {reason}. Ihre Adresse muss mit wss:// beginnen.',
  ],
  'ocpp-refused-404': [
    'Station {device} at {address} was refused: {reason}. Add it to the table if it is yours.',
    'Station {device} an {address} wurde abgewiesen: {reason}. In die Tabelle eintragen, wenn es die eigene ist.',
  ],
  'ocpp-refused-409': [
    'Station {device} at {address} was refused: {reason}. Give one of the two another identity.',
    'Station {device} an {address} wurde abgewiesen: {reason}. Einer der beiden eine andere Kennung geben.',
  ],
  'ocpp-refused-429': [
    'Station {device} at {address} has to wait: {reason}. Check its password.',
    'Station {device} an {address} muss warten: {reason}. Ihr Passwort prüfen.',
  ],
  'ocpp-refused-503': [
    'Station {device} at {address} was refused for now: {reason}.',
    'Station {device} an {address} wurde vorerst abgewiesen: {reason}.',
  ],
  'ocpp-duplicate': [
    'Two stations say to be {device}: {older} was replaced by {address}. Give each its own identity, and each a password.',
    'Zwei Stationen geben sich als {device} aus: {older} wurde von {address} abgelöst. Jeder eine eigene Kennung und ein Passwort geben.',
  ],
  'ocpp-duplicate-loop': [
    'Two stations with the identity {device} throw each other out again and again. Give one of them another identity.',
    'Zwei Stationen mit der Kennung {device} werfen einander immer wieder hinaus. Einer davon eine andere Kennung geben.',
  ],
  'ocpp-not-saved': [
    'What is known of station {device} cannot be saved: after a power failure its transactions are guessed. Check the disk: {detail}',
    'Was von Station {device} bekannt ist, lässt sich nicht speichern: nach einem Stromausfall werden ihre Ladungen geraten. Datenträger prüfen: {detail}',
  ],
  'ocpp-repaired': [
    'Station {device} does not keep to OCPP; what it means was clear: {detail}',
    'Station {device} hält sich nicht an OCPP; was gemeint ist, war klar: {detail}',
  ],
  'ocpp-malformed': [
    'Station {device} sends something that is no OCPP and is ignored: {detail}',
    'Station {device} sendet etwas, das kein OCPP ist; es wird übergangen: {detail}',
  ],
  'ocpp-refused': [
    'Something that station {device} sent was refused: {detail}. If it goes on, try "forgive wrong formats".',
    'Etwas, das Station {device} gesendet hat, wurde abgewiesen: {detail}. Wenn es anhält, „falsche Formate verzeihen“ versuchen.',
  ],
  'ocpp-throttled': [
    'Station {device} sends more than it should and is slowed down: {detail}',
    'Station {device} sendet mehr als sie sollte und wird gebremst: {detail}',
  ],
  'ocpp-flood': [
    'Station {device} floods the central system and was disconnected: {detail}',
    'Station {device} überflutet das Zentralsystem und wurde getrennt: {detail}',
  ],
  'ocpp-not-reading': [
    'Station {device} does not take what it is sent and was disconnected: {detail}',
    'Station {device} nimmt nicht an, was ihr gesendet wird, und wurde getrennt: {detail}',
  ],
  'ocpp-silent': [
    'Station {device} was silent and was disconnected: {detail}. Check its network.',
    'Station {device} schwieg und wurde getrennt: {detail}. Ihr Netzwerk prüfen.',
  ],
  'ocpp-internal': [
    'Something went wrong with station {device} in this software: {detail}',
    'Bei Station {device} ist in dieser Software etwas schiefgegangen: {detail}',
  ],
  'wrong-version': [
    'Station {device} speaks OCPP 2 on a connection of OCPP 1.6. Set OCPP 1.6J in the station.',
    'Ladestation {device} spricht OCPP 2 auf einer Verbindung für OCPP 1.6. In der Station OCPP 1.6J einstellen.',
  ],
  'id-tag-refused': [
    'Station {device}: the card {idTag} is not in the list. It is refused, but a vehicle that charges all the same is limited.',
    'Ladestation {device}: die Karte {idTag} steht nicht in der Liste. Sie wird abgelehnt; ein Fahrzeug, das trotzdem lädt, wird begrenzt.',
  ],
  'unknown-connector': [
    'Station {device} has a connector {connector} that is not in the table: nobody limits it. Add it to the table.',
    'Ladestation {device} hat einen Anschluss {connector}, der nicht in der Tabelle steht: niemand begrenzt ihn. Den Anschluss in die Tabelle eintragen.',
  ],
  'clock-skew': [
    'The clock of station {device} is wrong by {seconds} s. Check its time server and time zone.',
    'Die Uhr der Ladestation {device} geht um {seconds} s falsch. Zeitserver und Zeitzone der Station prüfen.',
  ],
  'configuration-unread': [
    'Station {device} does not tell its configuration: the most cautious settings are used. Restart the station if this lasts.',
    'Ladestation {device} nennt ihre Konfiguration nicht: die vorsichtigsten Einstellungen gelten. Wenn das anhält, die Station neu starten.',
  ],
  'configuration-refused': [
    'Station {device} refuses {key} = {value} ({status}). Set it at the station itself if values are missing.',
    'Ladestation {device} lehnt {key} = {value} ab ({status}). Falls Werte fehlen, an der Station selbst einstellen.',
  ],
  'reboot-required': [
    'Station {device} needs a restart before {key} = {value} holds.',
    'Ladestation {device} braucht einen Neustart, bevor {key} = {value} gilt.',
  ],
  'limit-not-supported': [
    'Station {device} takes no limit in any way that OCPP 1.6 knows ({detail}) and is reserved at its maximum. Enable smart charging in the station, or set its maximum at the station itself.',
    'Ladestation {device} nimmt auf keinem Weg von OCPP 1.6 eine Begrenzung an ({detail}); für sie ist ihr Höchststrom reserviert. Smart Charging in der Station einschalten oder ihren Höchststrom an der Station selbst einstellen.',
  ],
  'limit-unanswered': [
    'Station {device} does not answer when it is told a limit: what it may still offer stays reserved. Restart the station; check its connection.',
    'Ladestation {device} antwortet nicht, wenn ihr eine Begrenzung gesendet wird: was sie noch anbieten kann, bleibt reserviert. Station neu starten, Verbindung prüfen.',
  ],
  'limit-without-effect': [
    'Station {device} takes limits but stays at its safe current of {safe} A. Check for a local limit or schedule in the station.',
    'Ladestation {device} nimmt Begrenzungen an, bleibt aber bei ihrem sicheren Strom von {safe} A. Örtliche Begrenzung oder Zeitplan in der Station prüfen.',
  ],
  'not-obeying': [
    'Station {device} accepted a limit of {limit} A but is at {seen} A (known by: {evidence}). Another way is tried; its maximum stays reserved. Check for a local limit, load management or schedule in the station.',
    'Ladestation {device} hat {limit} A angenommen, ist aber bei {seen} A (erkannt an: {evidence}). Ein anderer Weg wird versucht, ihr Höchststrom bleibt reserviert. Örtliche Begrenzung, Lastmanagement oder Zeitplan in der Station prüfen.',
  ],
  'not-metered': [
    'Charger {device} charges and measures no current: what it says of its limit cannot be checked. Switch Current.Import on in the station.',
    'Ladepunkt {device} lädt und misst keinen Strom: was er über seine Begrenzung sagt, ist nicht prüfbar. Current.Import in der Station einschalten.',
  ],
  'rare-values': [
    'Charger {device} tells only every {seconds} s what is drawn: it may be paused although there is room, and gives room back late. Set MeterValueSampleInterval in the station to 5 s or less.',
    'Ladepunkt {device} meldet nur alle {seconds} s, was gezogen wird: er kann pausieren, obwohl Platz ist, und gibt Platz spät zurück. MeterValueSampleInterval in der Station auf höchstens 5 s stellen.',
  ],
  'no-safe-default': [
    'Station {device} takes no safe current for the time without us ({detail}): when a vehicle begins to charge, and without a connection, it gives its maximum. Set the maximum at the station itself.',
    'Ladestation {device} nimmt keinen sicheren Strom für die Zeit ohne uns an ({detail}): zu Beginn eines Ladevorgangs und ohne Verbindung gibt sie ihren Höchststrom. Höchststrom an der Station selbst einstellen.',
  ],
  'no-dead-man': [
    'Station {device} knows no limit that ends by itself: it gets no more than its safe current. A firmware update may help.',
    'Ladestation {device} kennt keine Begrenzung, die von selbst endet: sie bekommt höchstens ihren sicheren Strom. Ein Firmware-Update kann helfen.',
  ],
};
