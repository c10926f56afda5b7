/** What follows from a check, as long as what it proved is configured as it was then; and a site as the allocator is to see it. */
import type { SiteConfig } from '../site.ts';
import {
  type CheckedMeter,
  type CheckSite,
  configuredCharger,
  configuredMeter,
  type Evidence,
  type Findings,
  metersOf,
  type Outcome,
  type Verdict,
} from './model.ts';
import { unprovenPhases } from './verdicts-charger.ts';

export const NO_FINDINGS: Findings = { meters: [], chargers: {} };

/** By meter and charger, what did not pass and what it was configured as. */
export function followsFrom(site: CheckSite, verdicts: readonly Verdict[]): Pick<Outcome, 'meters' | 'chargers'> {
  const of = (item: Verdict['item'], id: string) => verdicts.filter((v) => v.item === item && v.id === id);
  const meters = metersOf(site).map((meter) => [
    meter.id,
    { configured: configuredMeter(site, meter), wrong: of('meter', meter.id).some((v) => v.result === 'wrong') },
  ]);
  const chargers = site.chargers.map((charger) => {
    const all = of('charger', charger.id);
    const phases = all.flatMap((v) => (v.check === 'phases' ? unprovenPhases(charger, v) : []));
    const obedience = all.some((v) => v.check === 'obeys' && v.result !== 'proven');
    const unproven = phases.length > 0 || obedience ? { unproven: { phases, obedience } } : {};
    return [charger.id, { configured: configuredCharger(site, charger), ...unproven }];
  });
  return { meters: Object.fromEntries(meters), chargers: Object.fromEntries(chargers) };
}

/** Whether what was found of a meter or charger still holds: it does not when it is configured otherwise, or gone. */
export function holds(site: CheckSite, outcome: Outcome, item: Verdict['item'], id: string): boolean {
  if (item === 'charger') {
    const charger = site.chargers.find((c) => c.id === id);
    return charger !== undefined && outcome.chargers[id]?.configured === configuredCharger(site, charger);
  }
  const meter = metersOf(site).find((m: CheckedMeter) => m.id === id);
  return meter !== undefined && outcome.meters[id]?.configured === configuredMeter(site, meter);
}

/** What counts now. While a check goes on its meters are believed as declared: else what was put right could never pass. */
export function findingsOf(site: CheckSite, outcome: Outcome | undefined, running: boolean): Findings {
  if (!outcome) return NO_FINDINGS;
  const wrong = Object.keys(outcome.meters).filter(
    (id) => outcome.meters[id].wrong && holds(site, outcome, 'meter', id),
  );
  const chargers = Object.entries(outcome.chargers).flatMap(([id, { unproven }]) =>
    unproven && isOpen(site, outcome, id) ? [[id, unproven] as const] : [],
  );
  return { meters: running ? [] : wrong, chargers: Object.fromEntries(chargers) };
}

/** One that the check does not know yet, as a remote one after a restart, stays at worst case. */
function isOpen(site: CheckSite, outcome: Outcome, id: string): boolean {
  return !site.chargers.some((c) => c.id === id) || holds(site, outcome, 'charger', id);
}

/** A site with what a check found; the very same where it found nothing. */
export function withFindings<T extends SiteConfig>(site: T, { meters, chargers }: Findings): T {
  if (meters.length === 0 && Object.keys(chargers).length === 0) return site;
  return {
    ...site,
    circuits: site.circuits.map((c) => (c.meter && meters.includes(c.meter) ? { ...c, meterFoundWrong: true } : c)),
    chargers: site.chargers.map((c) =>
      Object.hasOwn(chargers, c.id) ? { ...c, unproven: { ...chargers[c.id], phases: [...chargers[c.id].phases] } } : c,
    ),
  };
}

export function emptyEvidence(): Evidence {
  return { loads: [], silent: [], frozen: [], chargers: {} };
}
