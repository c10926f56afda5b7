import { isId } from '../core/units.ts';
import type { Kind } from './schemas.ts';

/** What a topic is about. `id` is absent for kinds of which a site has one, such as `allocation` and `commissioning`. */
export interface Topic {
  kind: Kind;
  id?: string;
}

const WITH_ID: readonly string[] = [
  ...['meter', 'charger', 'limit', 'surplus', 'tariff', 'request', 'setpoint', 'alert', 'session'],
];
/** Kinds whose topic has a word behind their own. */
const OF_TWO: Partial<Record<Kind, string>> = {
  'commissioning-state': 'commissioning/state',
  'sessions-query': 'sessions/query',
  'sessions-answer': 'sessions/answer',
};

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
  for (const [kind, end] of Object.entries(OF_TWO)) if (`${before}/${last}` === end) return { kind: kind as Kind };
  if (last === 'announce' && parts.at(-3) === 'charger' && isId(before)) return { kind: 'announce', id: before };
  if (before !== undefined && WITH_ID.includes(before) && isId(last)) return { kind: before as Kind, id: last };
  return undefined;
}

/** The topic of a message, without a prefix. */
export function formatTopic(topic: Topic): string {
  if (topic.kind === 'allocation' || topic.kind === 'commissioning') return topic.kind;
  const two = OF_TWO[topic.kind];
  if (two !== undefined) return two;
  if (topic.kind === 'announce') return `charger/${topic.id}/announce`;
  return `${topic.kind}/${topic.id}`;
}
