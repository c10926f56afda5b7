/**
 * The stations of the bench, raw `ws` clients in a process of their own: each boots, charges at 11 kW or what it is limited to, and
 * meters. Arguments: port, stations, period in ms (0 = each sends its next MeterValues when the last one is answered).
 * Told over IPC: `measure` starts over, `times` gives the answer times of MeterValues.
 */
import WebSocket from 'ws';
import { BenchStation } from './bench-station.ts';

const [port, stations, period] = process.argv.slice(2).map(Number) as [number, number, number];
const AT_ONCE = 100;
let times: number[] = [];

async function connect(index: number): Promise<void> {
  const ws = new WebSocket(`ws://127.0.0.1:${port}/ocpp/CP${index}`, ['ocpp1.6'], { perMessageDeflate: false });
  const station = new BenchStation(ws, Math.max(1, Math.round(period / 1000)));
  const meter = async () => {
    times.push(await station.meter());
    if (period === 0) void meter();
  };
  await new Promise((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('error', reject);
  });
  ws.on('close', (code) => console.error(`CP${index} was closed: ${code}`));
  await station.begin();
  if (period === 0) void meter();
  // Spread over the period, as stations are.
  else {
    setTimeout(
      () => {
        void meter();
        setInterval(() => void meter(), period);
      },
      (index / stations) * period,
    );
  }
}

for (let i = 0; i < stations; i += AT_ONCE) {
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, stations - i) }, (_, k) => connect(i + k)));
}
process.send?.('connected');
process.on('message', (message) => {
  if (message === 'times') process.send?.(times);
  times = [];
});
process.on('disconnect', () => process.exit());
