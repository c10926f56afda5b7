/**
 * The server of the bench, a process of its own. `bare` is `ws` and JSON and nothing else, `ours` the central system with the logic
 * of a module, `whole` the same with an allocator and a book of sessions behind it. Told over IPC: `usage` gives CPU time and
 * memory, `{ limit, current }` limits that many stations.
 */
import { WebSocketServer } from 'ws';
import { type Central, runCentral } from '../../drivers/ocpp/central.ts';
import type { CallAnswer, StationLogic, StationOutput } from '../../drivers/ocpp/station-io.ts';
import { BenchSite } from './site.ts';

const [mode, stations, logicModule] = process.argv.slice(2) as ['bare' | 'ours' | 'whole', string, string];
const HELD_S = 300;
const identities = Array.from({ length: Number(stations) }, (_, i) => `CP${i}`);
let calls = 0;
/** SetChargingProfile that were sent. */
let profiles = 0;
let wanted: { current: number; missing: Set<string>; done: () => void } | undefined;
let site: BenchSite | undefined;

/** Notes who has accepted the limit that is wanted, whatever the logic is. */
function watched(identity: string, logic: StationLogic): StationLogic {
  const { request, answered, setpoint, tick } = logic;
  const sent = new Map<number, number>();
  const note = (outputs: StationOutput[]) => {
    for (const output of outputs) {
      if (output.type !== 'call' || output.action !== 'SetChargingProfile') continue;
      profiles += 1;
      sent.set(output.id, limitOf(output.payload));
    }
    return outputs;
  };
  logic.request = (...args) => {
    calls += 1;
    const handled = request.apply(logic, args);
    note(handled.outputs);
    return handled;
  };
  logic.answered = (id, answer, ...rest) => {
    noteAnswer(identity, sent.get(id), answer);
    sent.delete(id);
    return note(answered.call(logic, id, answer, ...rest));
  };
  logic.setpoint = (...args) => note(setpoint.apply(logic, args));
  logic.tick = (...args) => note(tick.apply(logic, args));
  return logic;
}

function limitOf(payload: object): number {
  const { csChargingProfiles: profile } = payload as {
    csChargingProfiles: { chargingSchedule: { chargingSchedulePeriod: { limit: number }[] } };
  };
  return profile.chargingSchedule.chargingSchedulePeriod[0].limit;
}

function noteAnswer(identity: string, limit: number | undefined, answer: CallAnswer): void {
  if (!wanted || limit !== wanted.current) return;
  if (!answer.ok || (answer.payload as { status?: unknown }).status !== 'Accepted') return;
  if (wanted.missing.delete(identity) && wanted.missing.size === 0) wanted.done();
}

async function ours(): Promise<Central> {
  const { create } = (await import(logicModule)) as { create(identity: string, record: unknown): StationLogic };
  return runCentral(
    {
      listen: { port: 0, host: '127.0.0.1' },
      securityProfile: 0,
      stations: identities,
      // The closed loop of the bench is faster than any station.
      connection: { rate: { perSecond: 1e6, burst: 1e6, patience: 30 } },
    },
    {
      access: () => ({}),
      create: (identity, record) => watched(identity, create(identity, record)),
      store: () => ({ read: () => undefined, write: () => undefined }),
    },
    {
      reading: (identity, _connector, reading) => site?.reading(identity, reading),
      meter: () => undefined,
      alert: (alert, identity) => console.error(identity, JSON.stringify(alert)),
      notSaved: () => undefined,
      saved: () => undefined,
    },
  );
}

/** Answers every call with the least that there is. */
async function bare(): Promise<number> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false, clientTracking: false });
  server.on('connection', (ws) => {
    ws.on('message', (data) => {
      calls += 1;
      const [, id] = JSON.parse(data.toString());
      ws.send(JSON.stringify([3, id, {}]));
    });
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return (server.address() as { port: number }).port;
}

/** ms until all of them have accepted it. */
async function limit(count: number, current: number): Promise<number> {
  const chosen = identities.slice(0, count);
  const all = new Promise<void>((done) => {
    wanted = { current, missing: new Set(chosen), done };
  });
  const start = performance.now();
  for (const identity of chosen) central?.setpoint(identity, 1, current, HELD_S);
  await all;
  wanted = undefined;
  return performance.now() - start;
}

const central = mode === 'bare' ? undefined : await ours();
if (mode === 'whole' && central)
  site = new BenchSite(identities, (identity, current, validFor) => central.setpoint(identity, 1, current, validFor));
process.send?.({ port: central ? await central.listening : await bare() });

process.on('message', async (message: 'usage' | { limit: number; current: number }) => {
  if (message !== 'usage') {
    process.send?.({ limitMs: await limit(message.limit, message.current) });
    return;
  }
  const { user, system } = process.cpuUsage();
  const { rounds = 0, setpoints = 0 } = site ?? {};
  const rssMb = process.memoryUsage.rss() / 2 ** 20;
  process.send?.({ calls, profiles, rounds, setpoints, cpuMs: (user + system) / 1000, rssMb });
});
process.on('disconnect', () => {
  site?.stop();
  process.exit();
});
