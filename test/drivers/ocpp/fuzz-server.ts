/** The server of the fuzz test, as a process of its own (`--expose-gc`): tells its port, and its memory when it is asked. */
import { runCentral } from '../../../drivers/ocpp/central.ts';
import { TrivialLogic } from './trivial-logic.ts';

const codes = new Map<string, number>();
const central = runCentral(
  { listen: { port: 0, host: '127.0.0.1' }, securityProfile: 0, stations: [], maxOthers: 1000 },
  {
    access: () => ({}),
    create: () => new TrivialLogic(),
    store: () => ({ read: () => undefined, write: () => undefined }),
  },
  {
    reading: () => undefined,
    meter: () => undefined,
    alert: ({ code, active, args }) => {
      if (code === 'ocpp-internal') process.send?.({ internal: args.detail });
      if (active) codes.set(code, (codes.get(code) ?? 0) + 1);
    },
    notSaved: () => undefined,
    saved: () => undefined,
  },
);
process.send?.({ port: await central.listening });

process.on('message', (message) => {
  if (message === 'stop') {
    central.stop().then(() => process.disconnect());
    return;
  }
  // Twice: what the first pass finalizes is freed by the second.
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const clean = Object.keys(Object.prototype).length === 0 && !('polluted' in {});
  process.send?.({ heap: heapUsed + external, clean, codes: Object.fromEntries(codes) });
});
