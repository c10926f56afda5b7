import { isId } from '../core/units.ts';
import type { Kind } from './schemas.ts';

/** What a topic is about. `id` is absent for kinds of which a site has one: `allocation`, `commissioning` and its state. */
export interface Topic {
  kind: Kind;
  id?: string;
}

const WITH_ID: readonly string[] = [
  'meter',
  'charger',
  'limit',
  'surplus',
  'tariff',
  'request',
  'setpoint',
  'alert',
  'session',
];

/**
 * Parses `msg.topic` from its end, so that any prefix (`dlm/<site>/`) may stand before it.
 * Returns undefined when the end is no known kind with a valid id.
 */
export function parseTopic(topic: unknown): Topic | undefined {
  if (typeof topic !== 'string' || topic.length > 500) return undefined;
  const parts = topic.split('/');
  const last = parts.at(-1);
  const before = parts.at(-2);
  if (last === 'allocation' || last === 'commissioning') return { kind: last };
  if (last === 'state' && before === 'commissioning') return { kind: 'commissioning-state' };
  if (last === 'announce' && parts.at(-3) === 'charger' && isId(before)) return { kind: 'announce', id: before };
  if (before !== undefined && WITH_ID.includes(before) && isId(last)) return { kind: before as Kind, id: last };
  return undefined;
}

/** The topic of a message, without a prefix. */
export function formatTopic(topic: Topic): string {
  if (topic.kind === 'allocation' || topic.kind === 'commissioning') return topic.kind;
  if (topic.kind === 'commissioning-state') return 'commissioning/state';
  if (topic.kind === 'announce') return `charger/${topic.id}/announce`;
  return `${topic.kind}/${topic.id}`;
}
