import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import type { Node } from 'node-red';
import { alertMessage } from '../../nodes/device-alerts.ts';

const FOLDER = path.join(import.meta.dirname, '../../drivers/ocpp');
const SOURCES = ['station.ts', 'requests.ts', 'verdicts.ts', 'rare-values.ts', 'server.ts', 'listener.ts'];
/** Of the central system itself. */
const CENTRAL = ['ocpp-port', 'ocpp-certificates'];
const REFUSALS = [400, 401, 403, 404, 409, 429, 503].map((status) => `ocpp-refused-${status}`);
const FAULTS = ['malformed', 'refused', 'repaired', 'throttled', 'flood', 'not-reading', 'silent', 'internal'];

describe('OCPP station, sentences', () => {
  it('there is one in each language for every alert of the logic, without a gap', () => {
    const source = SOURCES.map((name) => fs.readFileSync(path.join(FOLDER, name), 'utf8')).join('\n');
    const codes = new Set([...source.matchAll(/code: '([a-z-]+)'/g)].map((match) => match[1]));
    const others = [...REFUSALS, ...FAULTS.map((kind) => `ocpp-${kind}`), 'ocpp-not-saved'];
    for (const code of ['reboot-required', 'configuration-refused', ...others]) codes.add(code);
    assert.ok(codes.size >= 32, [...codes].join());
    const args = {
      detail: 'x',
      seconds: 1,
      seen: 1,
      limit: 1,
      evidence: 'x',
      safe: 6,
      key: 'k',
      value: 'v',
      status: 's',
    };
    const all = { ...args, idTag: 't', connector: 3, source: 'x', address: 'a', older: 'b', reason: 'r', port: 1 };
    const node = { log: () => {}, warn: () => {}, error: () => {} } as unknown as Node;
    for (const code of codes)
      for (const language of ['en-US', 'de'] as const) {
        const alert = { severity: 'warning' as const, code, args: all, active: true };
        const { text } = alertMessage(node, 'CP001', language, alert).payload as { text: string };
        assert.ok(
          text.length > 40 && (text.includes('CP001') || CENTRAL.includes(code)) && !/[{}]/.test(text),
          `${code} ${language}: ${text}`,
        );
      }
  });
});
