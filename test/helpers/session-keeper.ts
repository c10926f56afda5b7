/**
 * The program that is killed: the go-e driver, the sessions of the core and their store, as the node has them. It hears what a
 * broker would deliver, a JSON object per line, and answers each moment that it has dealt with.
 */
import { createInterface } from 'node:readline';
import { GoECharger } from '../../drivers/go-e/charger.ts';
import { SessionBook } from '../../drivers/session-store/book.ts';
import { SessionStore } from '../../drivers/session-store/store.ts';

/** One delivery; without a topic only time has passed. */
export interface Delivery {
  /** ms, monotonic; the calendar is `epoch` ahead. */
  now: number;
  topic?: string;
  payload?: string;
  retained?: boolean;
}

const [file, api, serial, epochText] = process.argv.slice(2);
const epoch = Number(epochText);

function keep() {
  const store = new SessionStore(file, (aside, reason) => {
    throw new Error(`${aside}: ${reason}`);
  });
  const saved = (error: unknown) => {
    if (error !== undefined) throw error;
  };
  const book = new SessionBook(store, { timeZone: 'Europe/Berlin', currency: 'EUR', saved });
  let charger: GoECharger | undefined;
  let tickedAt = 0;
  return ({ now, topic, payload = '', retained = false }: Delivery) => {
    charger ??= new GoECharger(
      {
        ...{ api: api as 'v1' | 'v2', serial, topicPrefix: 'go-eCharger', rotation: ['L1', 'L2', 'L3'] },
        ...{ minCurrent: 6, maxCurrent: 16, safeCurrent: 6 },
      },
      undefined,
      now,
    );
    const outputs = topic === undefined ? charger.tick(now) : charger.message(topic, payload, retained, now);
    if (topic === undefined) outputs.push(...charger.linked(true, now));
    for (const output of outputs)
      if (output.type === 'reading') book.hear('wallbox', output.reading, Math.round(epoch + now));
    if (topic === undefined && now - tickedAt >= 2000) {
      tickedAt = now;
      book.tick(Math.round(epoch + now));
    }
  };
}

let hear: ReturnType<typeof keep> | undefined;
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const delivery = JSON.parse(line) as Delivery;
  // The file is opened when the one before is dead.
  hear ??= keep();
  hear(delivery);
  if (delivery.topic === undefined) process.stdout.write(`${delivery.now}\n`);
}
