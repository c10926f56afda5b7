/** The sentences of the commissioning check, by code: what to do, what was found, what counts until then. English, German. */
import type { Sentence } from './texts.ts';

export const COMMISSIONING: Readonly<Record<string, Sentence>> = {
  // What is being done, and what a person is asked to do.
  pausing: [
    'Charging pauses until the check is over. Waiting until nothing flows.',
    'Das Laden pausiert bis zum Ende der Prüfung. Warte, bis kein Strom mehr fließt.',
  ],
  'no-allocator': [
    'The allocator does not answer. Its second output has to lead to this check, and the first output of this check to it.',
    'Der Verteiler antwortet nicht. Sein zweiter Ausgang muss zu dieser Prüfung führen, und ihr erster Ausgang zu ihm.',
  ],
  'meter-awaited': [
    'Waiting for meter {meter}. Check its power and network.',
    'Warte auf Zähler {meter}. Strom und Netzwerk des Zählers prüfen.',
  ],
  'load-on': [
    'Switch on a load of at least {amps} A on {phase} behind {circuit}, such as a kettle or a heater, and nothing else. Then press Next.',
    'Auf {phase} hinter {circuit} eine Last von mindestens {amps} A einschalten, etwa Wasserkocher oder Heizlüfter, sonst nichts. Dann Weiter drücken.',
  ],
  'load-measuring': [
    'Measuring with {meter}. Leave everything as it is for a few seconds.',
    'Messung mit {meter}. Ein paar Sekunden lang alles so lassen.',
  ],
  'load-off': [
    'Switch the load on {phase} off again. Then press Next.',
    'Die Last auf {phase} wieder ausschalten. Dann Weiter drücken.',
  ],
  'load-reset': ['Switch the load off. Then press Next.', 'Die Last ausschalten. Dann Weiter drücken.'],
  'plug-in': [
    'Plug a vehicle into {charger}. The check goes on by itself.',
    'Ein Fahrzeug an {charger} anstecken. Die Prüfung geht von selbst weiter.',
  ],
  'charger-offline': [
    '{charger} does not answer. Check its power and network.',
    '{charger} antwortet nicht. Strom und Netzwerk der Ladestation prüfen.',
  ],
  'charger-paused': [
    '{charger} is paused by hand. Resume it to go on, or skip it.',
    '{charger} ist von Hand pausiert. Weiterladen lassen oder überspringen.',
  ],
  'charger-stopped': [
    '{charger} was stopped at the charger or in its app. Start it there to go on, or skip it.',
    '{charger} wurde an der Ladestation oder in ihrer App gestoppt. Dort starten oder überspringen.',
  ],
  'charger-fault': [
    '{charger} reports a fault. Clear it at the charger, or skip it.',
    '{charger} meldet eine Störung. An der Ladestation beheben oder überspringen.',
  ],
  'charger-limited': [
    '{charger} may take {limit} A at most, less than its minimum of {min} A. Raise that limit, or skip it.',
    '{charger} darf höchstens {limit} A nehmen, weniger als das Minimum von {min} A. Diese Grenze anheben oder überspringen.',
  ],
  'no-room': ['{charger} waits for current: {reason}.', '{charger} wartet auf Strom: {reason}.'],
  stepping: [
    '{charger} at {current} A: watching each phase, {seconds} s.',
    '{charger} bei {current} A: jede Phase wird beobachtet, {seconds} s.',
  ],
  'no-draw': [
    'The vehicle at {charger} is offered {current} A and takes nothing. Wake it up, or plug in another.',
    'Das Fahrzeug an {charger} bekommt {current} A angeboten und nimmt nichts. Aufwecken oder ein anderes anstecken.',
  ],
  'one-phase': [
    '{charger} can be switched to one phase: that proves where its {first} is, and takes about five minutes. Next, or Skip.',
    '{charger} lässt sich auf eine Phase umschalten: das beweist, wo ihr {first} liegt, und dauert etwa fünf Minuten. Weiter oder Überspringen.',
  ],
  switching: [
    '{charger} is being switched to one phase. That takes three to eight minutes.',
    '{charger} wird auf eine Phase umgeschaltet. Das dauert drei bis acht Minuten.',
  ],

  // What went wrong with a step.
  'load-unseen': [
    'No phase of the meter has changed by {amps} A. Is the load on, large enough, on {phase} and behind this meter?',
    'Keine Phase des Zählers hat sich um {amps} A geändert. Ist die Last an, groß genug, auf {phase} und hinter diesem Zähler?',
  ],
  'load-unclear': [
    'Something else has switched at the same time as the load on {phase}. Once more.',
    'Gleichzeitig mit der Last auf {phase} hat noch etwas geschaltet. Bitte noch einmal.',
  ],
  'vehicle-left': [
    'The vehicle at {charger} was interrupted. Its steps begin anew.',
    'Das Fahrzeug an {charger} wurde unterbrochen. Seine Stufen beginnen von vorn.',
  ],
  restless: [
    'The house switched while {charger} was watched. Once more.',
    'Das Haus hat geschaltet, während {charger} beobachtet wurde. Noch einmal.',
  ],
  'vehicle-restless': [
    'The vehicle at {charger} did not settle. Once more.',
    'Das Fahrzeug an {charger} kam nicht zur Ruhe. Noch einmal.',
  ],
  'not-switched': ['{charger} was not switched to one phase.', '{charger} wurde nicht auf eine Phase umgeschaltet.'],
  'aborted-by-hand': [
    'The check was ended by hand. What was proven before still counts.',
    'Die Prüfung wurde von Hand beendet. Was vorher bewiesen war, gilt weiter.',
  ],
  'aborted-restart': [
    'A restart ended the check. What was proven before still counts.',
    'Ein Neustart hat die Prüfung beendet. Was vorher bewiesen war, gilt weiter.',
  ],
  'aborted-idle': [
    'Nothing happened for 30 minutes: the check has ended, and charging goes on.',
    '30 Minuten lang geschah nichts: die Prüfung ist beendet, das Laden geht weiter.',
  ],
  'aborted-changed': [
    'The site was configured anew: the check has ended. Start it again.',
    'Die Anlage wurde neu eingestellt: die Prüfung ist beendet. Bitte neu starten.',
  ],

  // Verdicts on meters.
  'meter-silent': ['The meter told nothing.', 'Der Zähler hat nichts gemeldet.'],
  'order-proven': [
    'A known load on each of {phases} shows there and nowhere else.',
    'Eine bekannte Last auf {phases} zeigt sich jeweils dort und nirgends sonst.',
  ],
  'order-swapped': ['{a} and {b} are swapped at meter {meter}.', '{a} und {b} sind am Zähler {meter} vertauscht.'],
  'order-wrong': [
    'A load shows on another phase at meter {meter}: {shown}.',
    'Am Zähler {meter} zeigt sich eine Last auf einer anderen Phase: {shown}.',
  ],
  'order-clamps': [
    'At meter {meter} the clamps of {phases} are around other conductors than their voltages come from (power factor 0.5).',
    'Am Zähler {meter} umfassen die Wandler von {phases} andere Leiter, als von denen ihre Spannung kommt (Leistungsfaktor 0,5).',
  ],
  'order-or-charger': [
    'Meter or charger: what {charger} reports on {reported} shows on {shown}.',
    'Zähler oder Ladestation: was {charger} auf {reported} meldet, zeigt sich auf {shown}.',
  ],
  'order-unseen': [
    'A known load on {phases} was not seen clearly.',
    'Eine bekannte Last auf {phases} war nicht klar zu sehen.',
  ],
  'order-partly': ['{shown} is right, {missing} was not checked.', '{shown} stimmt, {missing} wurde nicht geprüft.'],
  'order-not-checked': ['No known load was switched on.', 'Keine bekannte Last wurde eingeschaltet.'],
  'sign-proven': ['{phases} count import as positive.', '{phases} zählen Bezug positiv.'],
  'sign-reversed': [
    'The current transformer of {phases} at meter {meter} is the wrong way round.',
    'Der Stromwandler von {phases} am Zähler {meter} sitzt verkehrt herum.',
  ],
  'sign-partly': [
    '{shown} counts import as positive, {missing} was not seen.',
    '{shown} zählt Bezug positiv, {missing} war nicht zu sehen.',
  ],
  'sign-not-checked': ['No phase was seen to move.', 'An keiner Phase war eine Änderung zu sehen.'],
  'includes-proven': ['It measures {chargers}.', 'Er misst {chargers} mit.'],
  'excludes-proven': [
    'It does not measure {chargers}, as configured.',
    'Er misst {chargers} nicht mit, wie eingestellt.',
  ],
  'includes-wrong': [
    'Meter {meter} does not measure {chargers}, although it should.',
    'Zähler {meter} misst {chargers} nicht mit, obwohl er es soll.',
  ],
  'excludes-wrong': [
    'Meter {meter} measures {chargers}, although it should not.',
    'Zähler {meter} misst {chargers} mit, obwohl er es nicht soll.',
  ],
  'includes-frozen': [
    'Meter {meter} always says the same: it is frozen.',
    'Zähler {meter} meldet immer dasselbe: er ist eingefroren.',
  ],
  'includes-dead': [
    '{charger} draws current, but meter {meter} shows none of it on {phases}.',
    '{charger} zieht Strom, aber Zähler {meter} zeigt davon auf {phases} nichts.',
  ],
  'includes-not-checked': ['No charger was stepped.', 'Keine Ladestation wurde gestuft.'],
  'amount-proven': [
    'It shows {percent} % of what the charger reports.',
    'Er zeigt {percent} % dessen, was die Ladestation meldet.',
  ],
  'amount-wrong': [
    'Meter {meter} shows {percent} % of what the charger reports.',
    'Zähler {meter} zeigt {percent} % dessen, was die Ladestation meldet.',
  ],

  // Verdicts on chargers.
  'phases-proven': ['It is on {phases}, as configured.', 'Sie liegt auf {phases}, wie eingestellt.'],
  'phases-first': [
    'Its first phase is {first}, as configured. Which of {others} is which shows only with a vehicle on two phases; such a one counts on all.',
    'Ihre erste Phase ist {first}, wie eingestellt. Welche von {others} welche ist, zeigt nur ein zweiphasiges Fahrzeug; ein solches zählt auf allen.',
  ],
  'phases-alike': [
    '{phases} rise together: which conductor is on which phase does not show.',
    '{phases} steigen gemeinsam: welcher Leiter auf welcher Phase liegt, zeigt sich nicht.',
  ],
  'phases-wrong': [
    'What it reports on {reported} flows on {shown}.',
    'Was sie auf {reported} meldet, fließt auf {shown}.',
  ],
  'phases-more': ['It reports {reported} and draws on {shown}.', 'Sie meldet {reported} und zieht auf {shown}.'],
  'phases-or-meter': [
    'Charger or meter {meter}: what it reports on {reported} shows on {shown}.',
    'Ladestation oder Zähler {meter}: was sie auf {reported} meldet, zeigt sich auf {shown}.',
  ],
  'phases-restless': ['The house was too restless.', 'Das Haus war zu unruhig.'],
  'phases-unseen': ['No meter shows what it draws.', 'Kein Zähler zeigt, was sie zieht.'],
  'phases-no-meter': ['No meter measures it.', 'Kein Zähler misst sie mit.'],
  'phases-not-checked': ['It was not stepped.', 'Sie wurde nicht gestuft.'],
  'obeys-proven': [
    'It follows less current and a stop within {seconds} s; its highest draw was {deviation} A off its set-point.',
    'Sie folgt weniger Strom und einem Stopp in {seconds} s; ihr höchster Strom lag {deviation} A neben dem Sollwert.',
  ],
  'obeys-slowly': [
    'It follows only within {seconds} s; the allocator reckons with {lag} s.',
    'Sie folgt erst in {seconds} s; der Verteiler rechnet mit {lag} s.',
  ],
  'ignores-setpoint': [
    'Told {setpoint} A, it still offered {offer} A, and the vehicle drew {current} A.',
    'Bei einem Sollwert von {setpoint} A bot sie weiter {offer} A an, und das Fahrzeug zog {current} A.',
  ],
  'ignores-offer': [
    'Offered {offer} A, the vehicle still drew {current} A.',
    'Bei einem Angebot von {offer} A zog das Fahrzeug weiter {current} A.',
  ],
  'obeys-stop-only': [
    'It follows a stop; that it follows less current was not seen.',
    'Sie folgt einem Stopp; dass sie weniger Strom folgt, war nicht zu sehen.',
  ],
  'obeys-less-only': [
    'It follows less current; that it follows a stop was not seen.',
    'Sie folgt weniger Strom; dass sie einem Stopp folgt, war nicht zu sehen.',
  ],
  'obeys-not-checked': ['It was not stepped.', 'Sie wurde nicht gestuft.'],

  // What to do.
  'do-wake-meter': [
    'Check power, network and update period of meter {meter}, then check again.',
    'Strom, Netzwerk und Meldetakt von Zähler {meter} prüfen, dann erneut prüfen.',
  ],
  'do-swap-clamps': [
    'Swap the clamps of {phases}, then check again.',
    'Die Wandler von {phases} tauschen, dann erneut prüfen.',
  ],
  'do-swap-or-rename': [
    'Swap the clamps of {phases}, or set "Channels 1, 2, 3 on" of the meter to {channels}; then check again.',
    'Die Wandler von {phases} tauschen oder „Kanäle 1, 2, 3 auf“ des Zählers auf {channels} stellen; dann erneut prüfen.',
  ],
  'do-move-clamps': [
    'Put the clamps of {phases} around the conductors that their voltages come from, then check again.',
    'Die Wandler von {phases} um die Leiter legen, von denen ihre Spannung kommt, dann erneut prüfen.',
  ],
  'do-turn-clamps': [
    'Turn the clamp of {phases} round, then check again.',
    'Den Wandler von {phases} umdrehen, dann erneut prüfen.',
  ],
  'do-include': [
    'Set "The meter measures the chargers too" of {circuit} on, or feed the chargers before the meter; then check again.',
    '„Der Zähler misst die Ladepunkte mit“ von {circuit} einschalten oder die Ladestationen vor dem Zähler anschließen; dann erneut prüfen.',
  ],
  'do-exclude': [
    'Set "The meter measures the chargers too" of {circuit} off, or move the clamps to before the chargers; then check again.',
    '„Der Zähler misst die Ladepunkte mit“ von {circuit} ausschalten oder die Wandler vor die Ladestationen setzen; dann erneut prüfen.',
  ],
  'do-find-charger': [
    'Check from which circuit the charger is fed: it is not behind the meter of {circuit}.',
    'Prüfen, von welchem Stromkreis die Ladestation gespeist wird: sie liegt nicht hinter dem Zähler von {circuit}.',
  ],
  'do-check-clamps': [
    'Check whether the clamps of {phases} are closed, plugged in and around their conductors.',
    'Prüfen, ob die Wandler von {phases} geschlossen und eingesteckt sind und um ihre Leiter liegen.',
  ],
  'do-check-ratio': [
    'Check type and ratio of the current transformers, and whether their clamps are closed.',
    'Typ und Übersetzung der Stromwandler prüfen, und ob die Klappwandler geschlossen sind.',
  ],
  'do-load-test': [
    'Check again with a known load on each phase, at a quiet time.',
    'Erneut prüfen, mit einer bekannten Last auf jeder Phase und zu ruhiger Zeit.',
  ],
  'do-step-charger': ['Check again with a vehicle plugged in.', 'Erneut prüfen, mit einem angesteckten Fahrzeug.'],
  'do-quiet-time': ['Check again at a quiet time.', 'Erneut zu ruhiger Zeit prüfen.'],
  'do-add-meter': [
    'Only a meter that measures this charger can show it.',
    'Das kann nur ein Zähler zeigen, der diese Ladestation mitmisst.',
  ],
  'do-one-phase': [
    'Check again with a vehicle or a test adapter on one phase, or let the charger be switched to one phase.',
    'Erneut prüfen, mit einem einphasigen Fahrzeug oder Prüfadapter, oder die Ladestation auf eine Phase umschalten lassen.',
  ],
  'do-turn-rotation': [
    'Set "Wired to" of the charger to {rotation}, or rewire it keeping the rotating field; then check again.',
    '„Angeschlossen an“ der Ladestation auf {rotation} stellen oder bei gleichem Drehfeld umklemmen; dann erneut prüfen.',
  ],
  'do-check-wiring': [
    'Check the wiring of the charger, conductor by conductor, and "Wired to".',
    'Die Verdrahtung der Ladestation Leiter für Leiter prüfen, ebenso „Angeschlossen an“.',
  ],
  'do-set-lag': [
    'Set "A vehicle follows within" of the allocator to at least {seconds} s, then check again.',
    '„Ein Auto folgt innerhalb von“ des Verteilers auf mindestens {seconds} s stellen, dann erneut prüfen.',
  ],
  'do-allow-writing': [
    'Allow the charger to be controlled (go-e: writing over the API), then check again.',
    'Der Ladestation das Steuern erlauben (go-e: Schreibzugriff der API), dann erneut prüfen.',
  ],
  'do-other-vehicle': ['Check again with another vehicle.', 'Mit einem anderen Fahrzeug erneut prüfen.'],

  // What counts until then.
  'effect-phases': [
    'Until then {charger} counts on all phases unless it uses those that are proven.',
    'Bis dahin zählt {charger} auf allen Phasen, außer sie nutzt nur bewiesene.',
  ],
  'effect-obeys': [
    'Until then {charger} counts with its maximum of {max} A while a vehicle is plugged in.',
    'Bis dahin zählt {charger} mit ihrem Höchststrom von {max} A, solange ein Fahrzeug angesteckt ist.',
  ],
  'effect-meter': [
    'Until then meter {meter} is not believed: charging below {circuit} pauses.',
    'Bis dahin wird Zähler {meter} nicht geglaubt: Laden unter {circuit} pausiert.',
  ],
};

/** What the checks and their results are called. */
export const COMMISSIONING_WORDS = {
  order: ['Order of the transformers', 'Reihenfolge der Wandler'],
  sign: ['Direction of the transformers', 'Richtung der Wandler'],
  includes: ['Chargers measured', 'Ladestationen mitgemessen'],
  amount: ['Amount measured', 'Gemessene Menge'],
  phases: ['Phases', 'Phasen'],
  obeys: ['Obeys', 'Gehorcht'],
  proven: ['proven', 'bewiesen'],
  wrong: ['wrong', 'falsch'],
  'not-proven': ['not proven', 'nicht bewiesen'],
} as const satisfies Readonly<Record<string, Sentence>>;
