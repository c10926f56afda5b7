/** What the nodes of a site say on a simulated day, as messages with their moment. The devices, drivers and the controller are the real ones. */
import {
  type AllocationOut,
  bookEnergy,
  createController,
  createGuard,
  type DayEnergy,
  type Decision,
  decide,
  energyOn,
  guardMeter,
  guardVerdict,
  onCharger,
  onLimit,
  onMeter,
  protectiveDevice,
} from '../../core/index.ts';
import { homeCircuit } from '../../simulator/day.ts';
import { SiteDay } from '../../simulator/site-day.ts';
import { type Brain, runHome, TICK_MS } from '../../simulator/virtual-home.ts';

export interface Said {
  /** ms since the beginning. */
  now: number;
  topic: string;
  payload: Record<string, unknown>;
}

const ALLOCATION_MS = 1000;
/** They do not go past midnight. */
const DAY = '2026-03-10';
const LIMIT_MS = 10_000;

/** A home with a car that comes and goes, outages and restarts. */
export function homeDay(seed: number, epoch: number, hours = 24): { said: Said[]; energyWh: number } {
  const said: Said[] = [];
  const circuit = homeCircuit();
  const device = protectiveDevice(circuit);
  const guard = createGuard(device, { reactionSeconds: 8 }, 0);
  const sessions = new Sessions(said, epoch);
  let allocatedAt = Number.NEGATIVE_INFINITY;
  let limitedAt = Number.NEGATIVE_INFINITY;
  const tell = (now: number, topic: string, payload: object) =>
    said.push({ now, topic, payload: { at: epoch + now, ...payload } });

  const brain = (start: number): Brain => {
    const charger = { id: 'wallbox', circuit: circuit.id, rotation: ['L1' as const, 'L2' as const, 'L3' as const] };
    const site = { circuits: [circuit], chargers: [{ ...charger, min: 6, max: 16, safe: 6 }], voltage: 230 };
    const controller = createController(site, {}, start);
    return {
      meter(input, now) {
        onMeter(controller, 'grid', input, now);
        guardMeter(guard, input, now);
        tell(now, 'meter/grid', { current: [...input.current] });
      },
      charger(reading, now) {
        onCharger(controller, 'wallbox', reading, now);
        tell(now, 'charger/wallbox', JSON.parse(JSON.stringify(reading)));
        sessions.hear('wallbox', reading, now);
      },
      decide(now) {
        const verdict = guardVerdict(guard, now);
        if (verdict.changed || now - limitedAt >= LIMIT_MS) {
          limitedAt = now;
          const current = verdict.paused ? [0, 0, 0] : [25, 25, 25];
          const limit = { source: 'guard', current, validFor: 30, onExpiry: 'fallback', paused: verdict.paused };
          tell(now, 'limit/main', { ...limit, budgetUsed: verdict.budgetUsed });
          onLimit(
            controller,
            'main',
            'guard',
            { ...limit, current: [current[0], current[1], current[2]], onExpiry: 'fallback' },
            now,
          );
        }
        const decision = decide(controller, now);
        alerts(decision, (topic, payload) => tell(now, topic, payload));
        if (decision.setpoints.length > 0 || now - allocatedAt >= ALLOCATION_MS) {
          allocatedAt = now;
          tell(now, 'allocation', picture(decision.allocation(), sessions.today));
        }
        return decision.setpoints.at(-1);
      },
    };
  };
  let energyWh = 0;
  runHome({ seed, brain, hours, generation: 2, car: 'everyday', loss: 0.01 }, ({ plant }) => {
    const amps = plant.vehicle.current().reduce((sum, phase) => sum + phase, 0);
    energyWh += (amps * 230 * TICK_MS) / 3_600_000;
  });
  return { said, energyWh };
}

/** A site of several chargers, with a bit of everything going wrong. */
export function siteDay(seed: number, epoch: number, hours = 24): { said: Said[]; day: SiteDay } {
  const said: Said[] = [];
  const sessions = new Sessions(said, epoch);
  let allocatedAt = Number.NEGATIVE_INFINITY;
  const tell = (now: number, topic: string, payload: object) =>
    said.push({ now, topic, payload: { at: epoch + now, ...payload } });
  const broken = {
    onMeter: (...args: Parameters<typeof onMeter>) => {
      const known = onMeter(...args);
      tell(args[3], `meter/${args[1]}`, { current: [...args[2].current] });
      return known;
    },
    onCharger: (...args: Parameters<typeof onCharger>) => {
      const known = onCharger(...args);
      const power = args[2].current.reduce((sum, amps) => sum + amps * 230, 0);
      const energy = sessions.energyOf(args[1], power, args[2], args[3]);
      tell(args[3], `charger/${args[1]}`, { power, energy, ...JSON.parse(JSON.stringify(args[2])) });
      sessions.hear(args[1], { ...args[2], power, energy }, args[3]);
      return known;
    },
  };
  const day = new SiteDay(
    { seed, hours, broken },
    {
      disturbed() {},
      passes() {},
      rubbish() {},
      decided(site, decision) {
        const { now } = site.agenda;
        alerts(decision, (topic, payload) => tell(now, topic, payload));
        if (now - allocatedAt < 5 * ALLOCATION_MS) return;
        allocatedAt = now;
        tell(now, 'allocation', picture(decision.allocation(), sessions.today));
      },
    },
  );
  day.run();
  return { said, day };
}

function alerts(decision: Decision, tell: (topic: string, payload: object) => void): void {
  for (const { source, code, severity, args, active } of decision.alerts)
    tell(`alert/${source}`, { severity, code, args, text: code, active });
}

/** As the allocator's node tells it. */
function picture({ circuits, chargers }: AllocationOut, today: ReadonlyMap<string, DayEnergy>): object {
  return structuredClone({
    circuits,
    chargers: chargers.map(({ request, ...c }) => ({
      ...c,
      reason: { ...c.reason, text: c.reason.code },
      request: {},
      energyToday: energyOn(today.get(c.id), DAY),
    })),
  });
}

type Report = { online: boolean; state: string; power: number; energy: number };

/** Sessions from what chargers report, as a session store tells them. */
class Sessions {
  /** Wh since midnight, as the allocator counts them. */
  readonly today = new Map<string, DayEnergy>();
  readonly #open = new Map<string, { start: number; told: number; peak: number; energy: number; last: number }>();
  readonly #counted = new Map<string, { wh: number; at: number; power: number }>();
  readonly #said: Said[];
  readonly #epoch: number;

  constructor(said: Said[], epoch: number) {
    this.#said = said;
    this.#epoch = epoch;
  }

  /** Wh of the session, of a charger whose report has none. */
  energyOf(id: string, power: number, { state }: { state: string }, now: number): number {
    const before = this.#counted.get(id);
    const wh = before && state !== 'A' ? before.wh + (before.power * (now - before.at)) / 3_600_000 : 0;
    this.#counted.set(id, { wh, at: now, power });
    return wh;
  }

  hear(id: string, report: Report, now: number): void {
    const { online, state, power, energy } = report;
    if (!online) return;
    this.today.set(id, bookEnergy(this.today.get(id), report, DAY));
    const open = this.#open.get(id);
    if (state === 'A') {
      if (open) this.#tell(id, open, now, true);
      this.#open.delete(id);
      return;
    }
    const session = open ?? { start: now, told: Number.NEGATIVE_INFINITY, peak: 0, energy: 0, last: energy };
    session.peak = Math.max(session.peak, power);
    const gained = Math.max(0, energy - session.last);
    session.last = energy;
    session.energy += gained;
    this.#open.set(id, session);
    if (now - session.told < 60_000) return;
    session.told = now;
    this.#tell(id, session, now, false);
  }

  #tell(
    charger: string,
    { start, peak, energy }: { start: number; peak: number; energy: number },
    now: number,
    ended: boolean,
  ) {
    const [at, from] = [this.#epoch + now, this.#epoch + start];
    const averagePower = now > start ? (energy * 3_600_000) / (now - start) : 0;
    const end = ended ? { end: at, endOffset: 60, endedBy: 'vehicle' } : {};
    const payload = {
      at,
      id: `${charger}-${from}`,
      charger,
      user: 'A. Volta',
      start: from,
      startOffset: 60,
      energy,
      averagePower,
      peakPower: peak,
      active: !ended,
      ...end,
    };
    this.#said.push({ now, topic: `session/${charger}`, payload });
  }
}
