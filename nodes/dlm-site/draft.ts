/** A site as it stands in the editor, deployed or not: read as far as it can be, with everything that cannot work. */
import { z } from 'zod';
import { type ChargerConfig, type CircuitConfig, type SiteProblem, siteProblems } from '../../core/index.ts';
import { ConfigError, choiceField, idField, numberField, phasesField } from '../fields.ts';

/** Largest site that the editor may ask about. */
const MOST_NODES = 20_000;
const field = z.union([z.string().max(200), z.number(), z.boolean(), z.null()]).optional();
const draftSchema = z.object({
  circuits: z
    .array(
      z.object({
        node: z.string().max(60),
        name: field,
        circuitId: field,
        parent: field,
        rating: field,
        phases: field,
        device: field,
        meter: field,
        fallbackLoad: field,
      }),
    )
    .max(MOST_NODES),
  chargers: z
    .array(
      z.object({
        node: z.string().max(60),
        name: field,
        chargerId: field,
        circuit: field,
        rotation: field,
        minCurrent: field,
        maxCurrent: field,
        safeCurrent: field,
        priority: field,
        phaseSwitching: field,
      }),
    )
    .max(MOST_NODES),
});
type Draft = z.infer<typeof draftSchema>;

/** What the editor shows of a site. */
export interface SitePicture {
  /** `node` is the editor's own id of the node. */
  circuits: (Pick<CircuitConfig, 'id' | 'name' | 'parent' | 'rating' | 'device' | 'meter'> & { node: string })[];
  chargers: (ChargerConfig & { node: string; name?: string })[];
  problems: (Omit<SiteProblem, 'code'> & { code: SiteProblem['code'] | 'field' })[];
}

/**
 * Reads what the editor sends: fields as typed, circuits named by their nodes. `resolve` fills in a `${NAME}` of a node.
 * @throws z.ZodError where it is no such thing at all.
 */
export function readDraft(body: unknown, resolve: (value: unknown, node: string) => unknown): SitePicture {
  const draft: Draft = draftSchema.parse(body);
  const problems: SitePicture['problems'] = [];
  const reading = <T>(node: { node: string }, subject: unknown, read: (of: <V>(value: V) => unknown) => T) => {
    try {
      return [{ node: node.node, ...read((value) => resolve(value, node.node)) }];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const { field, value, expected } = error;
      const args = { subject: String(subject ?? ''), field, value: String(value ?? ''), expected };
      problems.push({ code: 'field', args, field, value, expected });
      return [];
    }
  };
  const ids = new Map(draft.circuits.map((c) => [c.node, String(resolve(c.circuitId, c.node) ?? '')]));
  // A circuit that is not there keeps the name of its node: nothing has that id.
  const idOf = (node: unknown) => ids.get(String(node)) ?? String(node ?? '');
  const named = (name: unknown) => (typeof name === 'string' && name.trim() !== '' ? { name: name.trim() } : {});
  const circuits = draft.circuits.flatMap((c) =>
    reading(c, c.name || c.circuitId, (of) => ({
      ...named(c.name),
      id: idField('circuitId', of(c.circuitId)),
      ...(c.parent ? { parent: idOf(c.parent) } : {}),
      rating: numberField('rating', of(c.rating), { min: 1, max: 2000, unit: 'A' }),
      phases: phasesField('phases', of(c.phases)),
      device: choiceField('device', of(c.device), ['gG', 'B', 'C', 'D', 'table']),
      ...(c.meter ? { meter: String(of(c.meter)) } : {}),
      fallbackLoad: numberField('fallbackLoad', of(c.fallbackLoad), { min: 0, max: 2000, fallback: 0, unit: 'A' }),
    })),
  );
  const amps = (name: string, value: unknown, fallback: number) =>
    numberField(name, value, { min: 0, max: 2000, fallback, unit: 'A' });
  const chargers = draft.chargers.flatMap((c) =>
    reading(c, c.name || c.chargerId, (of) => ({
      ...named(c.name),
      id: idField('chargerId', of(c.chargerId)),
      circuit: idOf(c.circuit),
      rotation: phasesField('rotation', of(c.rotation)),
      min: amps('minCurrent', of(c.minCurrent), 6),
      max: amps('maxCurrent', of(c.maxCurrent), 16),
      safe: amps('safeCurrent', of(c.safeCurrent), 6),
      priority: numberField('priority', of(c.priority), { min: -1000, max: 1000, fallback: 0 }),
      phaseSwitching: c.phaseSwitching === true,
    })),
  );
  problems.push(...siteProblems({ circuits, chargers, voltage: 230 }));
  return { circuits, chargers, problems };
}
