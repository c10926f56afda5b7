/** Writes docs/messages.md from the schemas. `npm run docs:messages` */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type Kind, SCHEMAS } from '../messages/index.ts';

/** Topic, who sends it and who takes it. */
const KINDS: Record<Kind, { topic: string; way: string }> = {
  meter: { topic: 'meter/<id>', way: 'meters → fuse-guard, dlm-allocator, dlm-commissioning, history' },
  charger: {
    topic: 'charger/<id>',
    way: 'chargers → dlm-allocator, dlm-commissioning, dlm-sessions, dashboard, history',
  },
  announce: { topic: 'charger/<id>/announce', way: 'chargers behind a cut wire → dlm-allocator, dlm-commissioning' },
  limit: {
    topic: 'limit/<circuit or group>',
    way: 'guards, grid operator, schedules → dlm-allocator; the lowest counts',
  },
  surplus: { topic: 'surplus/<group>', way: 'pv-excess → dlm-allocator' },
  tariff: { topic: 'tariff/<id>', way: 'tariff sources → dlm-allocator, dlm-sessions; the last one counts' },
  request: { topic: 'request/<charger or all>', way: 'dashboard, RFID, schedules, dlm-commissioning → dlm-allocator' },
  setpoint: { topic: 'setpoint/<charger>', way: 'dlm-allocator → chargers' },
  allocation: { topic: 'allocation', way: 'dlm-allocator → dlm-commissioning, dashboard, history' },
  commissioning: { topic: 'commissioning', way: 'dashboard → dlm-commissioning' },
  'commissioning-state': { topic: 'commissioning/state', way: 'dlm-commissioning → dashboard, history' },
  session: {
    topic: 'session/<charger>',
    way: 'dlm-sessions → dashboard, history; when it begins, at most every 30 s while it moves, when it ends',
  },
  'sessions-query': { topic: 'sessions/query', way: 'dashboard → dlm-sessions' },
  'sessions-answer': { topic: 'sessions/answer', way: 'dlm-sessions → dashboard' },
  alert: { topic: 'alert/<source>', way: 'any node → dashboard, history; once when raised, once when cleared' },
};

interface JsonSchema {
  type?: string | string[];
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  prefixItems?: JsonSchema[];
  anyOf?: JsonSchema[];
  const?: unknown;
  enum?: unknown[];
  minimum?: number;
  exclusiveMinimum?: number;
  maximum?: number;
  maxLength?: number;
  pattern?: string;
  additionalProperties?: JsonSchema | boolean;
}

/** The page, as it stands in docs/messages.md. */
export function messagesPage(): string {
  const kinds = Object.keys(SCHEMAS) as Kind[];
  return `${[
    '# Messages',
    '<!-- Written by scripts/messages-doc.ts from messages/schemas.ts: change those. -->',
    [
      'Every message is a plain Node-RED message: `msg.topic` says what `msg.payload` is about. The topic is read from',
      'its end, so any prefix may stand before it, and any wire can be cut and carried over MQTT unchanged. Fields that',
      'are not listed pass. A, V, W, Wh and s; per-phase values are `[L1, L2, L3]` of the grid, import positive.',
    ].join('\n'),
    [
      '| Topic | From → to |',
      '|---|---|',
      ...kinds.map((kind) => `| \`${KINDS[kind].topic}\` | ${KINDS[kind].way} |`),
    ].join('\n'),
    ...kinds.map(section),
  ].join('\n\n')}\n`;
}

function section(kind: Kind): string {
  const schema = z.toJSONSchema(SCHEMAS[kind], { io: 'input' }) as JsonSchema;
  const rows = fields(schema, '').map(
    ({ name, type, needed, text }) => `| \`${name}\` | ${type} | ${needed} | ${text} |`,
  );
  return [`## \`${KINDS[kind].topic}\``, '', '| Field | Type | Needed | Meaning |', '|---|---|---|---|', ...rows].join(
    '\n',
  );
}

interface Row {
  name: string;
  type: string;
  needed: string;
  text: string;
}

/** One row per field; the fields of an object inside follow it. */
function fields(schema: JsonSchema, prefix: string): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, value]) => {
    const name = prefix + key;
    const needed = schema.required?.includes(key) ? 'yes' : '';
    const row = { name, type: typeOf(value), needed, text: cell(value.description ?? '') };
    const inner = value.type === 'array' && value.items ? fields(value.items, `${name}[].`) : fields(value, `${name}.`);
    return [row, ...inner];
  });
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(' ');
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.prefixItems)
    return `[${[...new Set(schema.prefixItems.map(typeOf))].join(', ')}] × ${schema.prefixItems.length}`;
  if (Array.isArray(schema.type)) return schema.type.join(' or ');
  if (schema.type === 'array') return `list of ${schema.items ? typeOf(schema.items) : 'values'}`;
  if (schema.type === 'string') return schema.pattern ? 'id' : 'text';
  if (schema.type === 'number' || schema.type === 'integer') return `${schema.type}${range(schema)}`;
  return schema.type ?? 'value';
}

function range({ minimum, exclusiveMinimum, maximum }: JsonSchema): string {
  const ends = [
    minimum === undefined ? '' : `≥ ${minimum}`,
    exclusiveMinimum === undefined ? '' : `> ${exclusiveMinimum}`,
    maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? '' : `≤ ${maximum}`,
  ].filter((end) => end !== '');
  return ends.length > 0 ? ` ${ends.join(', ')}` : '';
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(join(fileURLToPath(import.meta.url), '../../docs/messages.md'), messagesPage());
}
