/** The sentences of reasons and alerts, by code, in the languages of the palette. `{name}` is filled from the args. */
export type Language = 'en-US' | 'de';

export type Sentence = readonly [english: string, german: string];

/** Why a charger has the set-point it has. */
export const REASONS: Readonly<Record<string, Sentence>> = {
  circuit: ['{circuit}, {phase}: the house leaves no more', '{circuit}, {phase}: das Haus lässt nicht mehr übrig'],
  shared: [
    '{circuit}, {phase}: house and cars use all there is',
    '{circuit}, {phase}: Haus und Autos nutzen alles, was da ist',
  ],
  unbalance: [
    '{circuit}, {phase}: phases must not drift further apart',
    '{circuit}, {phase}: die Phasen dürfen nicht schiefer werden',
  ],
  limit: ['limit on {circuit} {phase}', 'Begrenzung auf {circuit} {phase}'],
  'no-room': ['{circuit} has less than {min} A free', '{circuit} hat weniger als {min} A frei'],
  'waits-turn': [
    'waits for its turn, at most {minutes} min',
    'wartet, bis es an der Reihe ist: höchstens {minutes} min',
  ],
  'not-seen-to-obey': [
    'waits for {max} A: nobody has seen this charger obey, so its maximum counts',
    'wartet auf {max} A: ihr Höchststrom zählt, weil niemand sie gehorchen sah',
  ],
  'waits-priority': ['waits: others come first', 'wartet: andere kommen zuerst'],
  'gives-way': ['pauses in a moment: others come next', 'gleich Pause: andere sind an der Reihe'],
  'held-by-policy': ['waits for a cheaper hour', 'wartet auf eine günstigere Stunde'],
  idle: [
    'the car takes nothing now: others may use its share',
    'das Auto nimmt gerade nichts: andere dürfen seinen Anteil nutzen',
  ],
  'vehicle-maximum': [
    'the car takes {max} A at most: others may use the rest',
    'das Auto nimmt höchstens {max} A: andere dürfen den Rest nutzen',
  ],
  'charger-maximum': ['the most this charger may', 'das Höchste, was diese Ladestation darf'],
  'rotation-unproven': [
    'rises step by step until the meter has shown on which phases it is',
    'steigt schrittweise, bis der Zähler gezeigt hat, auf welchen Phasen er lädt',
  ],
  'limit-set': ['the limit that you set', 'die eingestellte Grenze'],
  'limit-below-minimum': [
    'the limit of {limit} A is below the minimum of {min} A',
    'die Grenze von {limit} A liegt unter dem Minimum von {min} A',
  ],
  rising: ['rises when the room has proved to be free', 'steigt, sobald der Platz sicher frei ist'],
  'minimum-off': ['short pause, goes on within {seconds} s', 'kurze Pause, weiter in höchstens {seconds} s'],
  fallback: [
    'safe current: {circuit} cannot be measured or watched',
    'sicherer Strom: {circuit} wird nicht gemessen oder überwacht',
  ],
  'meter-silent': ['paused: the meter of {circuit} is silent', 'Pause: der Zähler von {circuit} schweigt'],
  'meter-found-wrong': [
    'paused: the commissioning check found the meter of {circuit} wrong',
    'Pause: die Inbetriebnahmeprüfung fand den Zähler von {circuit} falsch',
  ],
  backstop: ['paused: {circuit} stayed overloaded', 'Pause: {circuit} blieb überlastet'],
  paused: ['paused by you', 'von Hand pausiert'],
  'stopped-user': ['stopped at the charger', 'an der Ladestation gestoppt'],
  'stopped-energy': [
    'stopped: energy limit of the charger reached',
    'gestoppt: Energiegrenze der Ladestation erreicht',
  ],
  'stopped-device': ['stopped by the charger', 'von der Ladestation gestoppt'],
  'phase-switch': ['switches to {phases} phase(s): a short pause', 'wechselt auf {phases} Phase(n): kurze Pause'],
  'no-vehicle': ['no vehicle', 'kein Fahrzeug'],
  fault: ['the charger reports a fault', 'die Ladestation meldet einen Fehler'],
  offline: [
    'the charger does not answer: its last current stays reserved',
    'die Ladestation antwortet nicht: ihr letzter Strom bleibt reserviert',
  ],
  'not-heard': ['the charger was not heard yet', 'von der Ladestation kam noch nichts'],
  'meter-awaited': ['the charger is back, its meter not yet', 'die Ladestation ist zurück, ihr Zähler noch nicht'],
};

/** What a person should know. */
export const ALERTS: Readonly<Record<string, Sentence>> = {
  'meter-late': [
    'Meter {meter} of {circuit} is late: charging at the safe current.',
    'Zähler {meter} von {circuit} ist überfällig: Laden mit sicherem Strom.',
  ],
  'meter-silent': [
    'Meter {meter} of {circuit} is silent: charging is paused. Check its power and network.',
    'Zähler {meter} von {circuit} schweigt: Laden pausiert. Strom und Netzwerk des Zählers prüfen.',
  ],
  'meter-implausible': [
    'Meter {meter} of {circuit} does not show what the charger draws: it is frozen, or on other phases. Check transformers and phase order.',
    'Zähler {meter} von {circuit} zeigt nicht, was die Ladestation zieht: er steht, oder er misst andere Phasen. Wandler und Phasenfolge prüfen.',
  ],
  'meter-found-wrong': [
    'The commissioning check found meter {meter} of {circuit} wrong: charging below it pauses until a check passes.',
    'Die Inbetriebnahmeprüfung fand den Zähler {meter} von {circuit} falsch: Laden darunter pausiert, bis eine Prüfung bestanden ist.',
  ],
  'meter-negative': [
    'Meter {meter} of {circuit} shows export although no generation is declared: a current transformer may be reversed.',
    'Zähler {meter} von {circuit} zeigt Einspeisung, obwohl keine Erzeugung angegeben ist: ein Wandler könnte verkehrt herum sitzen.',
  ],
  overload: [
    '{circuit} stayed above its limit for longer than a reaction: chargers go to the safe current, then to 0.',
    '{circuit} blieb länger als eine Reaktionszeit über der Grenze: Ladestationen gehen auf sicheren Strom, dann auf 0.',
  ],
  disobeys: [
    '{charger} draws more than its set-point of {setpoint} A: its maximum stays reserved.',
    '{charger} zieht mehr als den Sollwert von {setpoint} A: ihr Maximum bleibt reserviert.',
  ],
  'charger-reserved': [
    '{charger} does not answer: its last current stays reserved. Check its network.',
    '{charger} antwortet nicht: ihr letzter Strom bleibt reserviert. Netzwerk der Ladestation prüfen.',
  ],
  'phases-not-switched': [
    '{charger} is not on the phases that it was told or says: all three stay reserved until the next vehicle. Check its contactor and that it lets phases be set.',
    '{charger} liegt nicht auf den Phasen, die sie soll oder nennt: alle drei bleiben bis zum nächsten Fahrzeug reserviert. Schütz prüfen, und ob sie Phasen umschalten lässt.',
  ],
  'guard-budget': [
    '{circuit} {phase}: charging is paused, the fuse would trip in {seconds} s.',
    '{circuit} {phase}: Laden pausiert, die Sicherung würde in {seconds} s auslösen.',
  ],
  'guard-average': [
    '{circuit}: charging is paused, the average was above the rating for 5 minutes.',
    '{circuit}: Laden pausiert, der Mittelwert lag 5 Minuten über dem Nennstrom.',
  ],
  'guard-silent': [
    '{circuit}: charging is paused, the meter is silent. Check its power and network.',
    '{circuit}: Laden pausiert, der Zähler schweigt. Strom und Netzwerk des Zählers prüfen.',
  ],
};

/** What the history node tells of its database: an alert, and its end. */
export const HISTORY: Readonly<Record<'history-stopped' | 'history-resumed', Sentence>> = {
  'history-stopped': [
    'The time-series database takes no data ({cause}). Up to {capacity} points wait for it, {lost} were lost. Check it; charging is not affected.',
    'Die Zeitreihendatenbank nimmt keine Daten an ({cause}). Bis zu {capacity} Punkte warten auf sie, {lost} gingen verloren. Datenbank prüfen; das Laden ist nicht betroffen.',
  ],
  'history-resumed': [
    'The time-series database takes data again. {lost} points were lost.',
    'Die Zeitreihendatenbank nimmt wieder Daten an. {lost} Punkte gingen verloren.',
  ],
};

/** A sentence with its gaps filled; the code itself when there is no such sentence. */
export function sentence(
  table: Readonly<Record<string, Sentence>>,
  language: Language,
  code: string,
  args: Readonly<Record<string, unknown>>,
): string {
  const found = Object.hasOwn(table, code) ? table[code] : undefined;
  const template = found ? found[language === 'de' ? 1 : 0] : code;
  return template
    .replace(/\{(\w+)\}/g, (_, name: string) => String(Object.hasOwn(args, name) ? args[name] : ''))
    .trim();
}
