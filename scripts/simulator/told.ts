/** Frames in words. */
import type { JsonObject } from '../../simulator/ocpp/frames.ts';

const OFTEN = new Set(['Heartbeat', 'MeterValues']);
const open = new Map<unknown, string>();

/** A line about a frame, or none for one that does not matter. */
export function tellFrame(direction: 'sent' | 'received', text: string, quiet: boolean): string | undefined {
  const [type, id, third, fourth] = JSON.parse(text) as [number, unknown, unknown, unknown];
  const arrow = direction === 'sent' ? '→' : '←';
  if (type === 2) {
    open.set(id, String(third));
    return quiet && OFTEN.has(String(third))
      ? undefined
      : `${arrow} ${third}${callText(String(third), fourth as JsonObject)}`;
  }
  const action = open.get(id) ?? '?';
  open.delete(id);
  if (type === 4) return `${arrow} ${action}: error ${third} ${fourth}`;
  const answer = JSON.stringify(third);
  return OFTEN.has(action) || answer === '{}' ? undefined : `${arrow} ${action}: ${answer.slice(0, 200)}`;
}

function callText(action: string, payload: JsonObject): string {
  if (action === 'MeterValues') return ` ${metered(payload)}`;
  if (action === 'SetChargingProfile')
    return ` ${JSON.stringify(payload.csChargingProfiles)} at connector ${payload.connectorId}`;
  const text = JSON.stringify(payload);
  return text === '{}' ? '' : ` ${text}`;
}

function metered(payload: JsonObject): string {
  const values = (payload.meterValue ?? []) as { sampledValue: JsonObject[] }[];
  const told = values.flatMap(({ sampledValue }) =>
    sampledValue.map((v) =>
      `${v.measurand ?? 'Energy'}${v.phase ? ` ${v.phase}` : ''} ${v.value} ${v.unit ?? ''}`.trim(),
    ),
  );
  return `connector ${payload.connectorId}: ${told.join(', ')}`;
}
