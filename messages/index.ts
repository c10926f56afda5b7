import type { z } from 'zod';
import { type Kind, SCHEMAS } from './schemas.ts';
import { parseTopic } from './topic.ts';

export * from './commissioning-texts.ts';
export * from './schemas.ts';
export * from './texts.ts';
export * from './topic.ts';

/** Why a message was refused: which field, what it was, what was expected. */
export class MessageError extends Error {
  override name = 'MessageError';
}

/** A message whose topic and payload were understood. */
export type Parsed = { [K in Kind]: { kind: K; id: string; payload: z.infer<(typeof SCHEMAS)[K]> } }[Kind];

/**
 * Reads a Node-RED message. Returns undefined when the topic is of no known kind
 * (such a message passes with one warning); throws a MessageError when the payload does not fit its kind.
 */
export function parseMessage(msg: { topic?: unknown; payload?: unknown }): Parsed | undefined {
  const topic = parseTopic(msg.topic);
  if (!topic) return undefined;
  const result = SCHEMAS[topic.kind].safeParse(msg.payload);
  if (!result.success) throw new MessageError(describe(topic.kind, msg.payload, result.error));
  return { kind: topic.kind, id: topic.id ?? '', payload: result.data } as Parsed;
}

function describe(kind: Kind, payload: unknown, error: z.ZodError): string {
  const issue = error.issues[0];
  const path = issue.path.map(String);
  let value: unknown = payload;
  for (const key of path)
    value = value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[key] : undefined;
  const shown = JSON.stringify(value)?.slice(0, 80) ?? String(value);
  return `${[kind, ...path].join('.')}: ${shown} — ${issue.message}`;
}
