/** What is known of single vendors, models and firmwares where they differ from OCPP 1.6. The data is in `quirk-data.ts`. */
import { z } from 'zod';
import { QUIRK_DATA } from './quirk-data.ts';

export const quirks = z.strictObject({
  stackLevelZero: z.boolean().describe('takes stack level 0 only, whatever it says of its highest'),
  relativeOnly: z.boolean().describe('takes profiles of kind Relative only'),
  unit: z.enum(['A', 'W']).describe('takes limits in this unit only'),
  remoteStart: z.boolean().describe('a vehicle charges only after a RemoteStartTransaction'),
  zeroStops: z.boolean().describe('a limit of 0 ends the transaction; it is started again when charging is wanted'),
  pause: z.enum(['profile', 'remote-stop']).describe('how a set-point of 0 is told'),
  keepTransaction: z.boolean().describe('a stopped transaction needs a replug: never stopped, whatever `pause` says'),
  anySubprotocol: z.boolean().describe('let in although it does not offer the subprotocol ocpp1.6'),
  pingSeconds: z.number().min(0).max(600).describe('s of silence after which it is pinged; 0 = never'),
  connectSeconds: z.number().min(1).max(3600).describe('s until a station that is away counts as unreachable'),
  excludedMeasurands: z.array(z.string().max(60)).max(30).describe('never asked for'),
  measurandsKey: z.string().max(50).describe('configuration key that lists the measurands it can send'),
  idTagKey: z.string().max(50).describe('configuration key with the tag of its plug-and-charge mode'),
  phaseSwitchKey: z.string().max(50).describe('configuration key that says whether it switches phases'),
  losesProfiles: z.boolean().describe('a reconnect loses its profiles'),
  dropsWhileSuspended: z.boolean().describe('accepts a TxProfile while the vehicle is suspended, then drops it'),
  sparesMemory: z.boolean().describe('profiles are not written to flash memory'),
  duration: z.number().min(20).max(300).describe('s; shorter profiles, once it has shown that they expire'),
});
export type Quirks = Partial<z.infer<typeof quirks>>;

const quirkOverride = quirks.partial();

const pattern = z
  .string()
  .max(120)
  .refine((text) => compiled(text) !== undefined, 'expected a regular expression');

export const quirkEntry = z.strictObject({
  vendor: pattern.optional(),
  model: pattern.optional(),
  firmware: pattern.optional(),
  quirks: quirkOverride,
  source: z.string().max(200).describe('thread or document it is known from'),
});
export type QuirkEntry = z.infer<typeof quirkEntry>;

const QUIRK_TABLE: readonly QuirkEntry[] = z.array(quirkEntry).parse(QUIRK_DATA);

export interface StationIdentity {
  vendor: string;
  model: string;
  firmware: string;
}

/** Quirks of a station: all entries that match, later ones and then `override` winning. Patterns match anywhere, without case. */
export function quirksOf(
  identity: StationIdentity | undefined,
  override: Quirks = {},
  more: readonly QuirkEntry[] = [],
): Quirks {
  const found = identity ? [...QUIRK_TABLE, ...more].filter((entry) => matches(entry, identity)) : [];
  return Object.assign({}, ...found.map((entry) => entry.quirks), override);
}

/** Quirks of one station as the person who set it up wrote them. @throws Error that names the field and what was expected. */
export function readQuirks(json: string): Quirks {
  return checked(quirkOverride, json);
}

/** A table of quirks in JSON, added to the one that comes along. @throws Error that names the field and what was expected. */
export function readQuirkTable(json: string): QuirkEntry[] {
  return checked(z.array(quirkEntry).max(500), json);
}

function checked<T>(schema: z.ZodType<T>, json: string): T {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new Error(`quirks: ${JSON.stringify(json.slice(0, 60))} — expected JSON`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Error(`${['quirks', ...issue.path].join('.')}: ${issue.message}`);
}

function matches({ vendor, model, firmware }: QuirkEntry, identity: StationIdentity): boolean {
  const fits = (text: string | undefined, value: string) => text === undefined || compiled(text)?.test(value) === true;
  return fits(vendor, identity.vendor) && fits(model, identity.model) && fits(firmware, identity.firmware);
}

function compiled(text: string): RegExp | undefined {
  try {
    return new RegExp(text, 'i');
  } catch {
    return undefined;
  }
}
