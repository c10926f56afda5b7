/** The JSON schemas of the devDependency `ocpp-rpc`: a judge of payloads that knows nothing of ours, and a source of payloads. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { createValidator } from 'ocpp-rpc';

export interface JsonSchema {
  $id?: string;
  $ref?: string;
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean;
  definitions?: Record<string, JsonSchema>;
  items?: JsonSchema;
  minItems?: number;
  enum?: string[];
  maxLength?: number;
  format?: 'date-time' | 'uri';
  multipleOf?: number;
}

const path = createRequire(import.meta.url).resolve('ocpp-rpc/lib/schemas/ocpp1_6.json');
const schemas = JSON.parse(readFileSync(path, 'utf8')) as JsonSchema[];
// Compiling changes the schemas that it is given.
const judge = createValidator('ocpp1.6', JSON.parse(readFileSync(path, 'utf8')));

/** `Authorize.req`, `Authorize.conf`, … with references resolved. */
export const ORACLE: ReadonlyMap<string, JsonSchema> = new Map(
  schemas.map((schema) => [String(schema.$id).slice('urn:'.length), resolved(schema, schema.definitions ?? {})]),
);

function resolved(schema: JsonSchema, definitions: Record<string, JsonSchema>): JsonSchema {
  if (schema.$ref) return resolved(definitions[schema.$ref.split('/').at(-1) as string] as JsonSchema, definitions);
  const properties = Object.entries(schema.properties ?? {}).map(([k, v]) => [k, resolved(v, definitions)] as const);
  return {
    ...schema,
    ...(schema.properties && { properties: Object.fromEntries(properties) }),
    ...(schema.items && { items: resolved(schema.items, definitions) }),
  };
}

/** Whether the oracle takes the payload. */
export function oracleAccepts(message: string, payload: unknown): boolean {
  try {
    return judge.validate(`urn:${message}`, payload) === true;
  } catch {
    return false;
  }
}

/** Payloads that the schema takes. */
export function payloads(schema: JsonSchema): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object': {
      const entries = Object.entries(schema.properties ?? {}).map(([key, value]) => [key, payloads(value)]);
      return fc.record<Record<string, unknown>>(Object.fromEntries(entries), {
        requiredKeys: schema.required ?? [],
        noNullPrototype: true,
      });
    }
    case 'array':
      return fc.array(payloads(schema.items as JsonSchema), { minLength: schema.minItems ?? 0, maxLength: 3 });
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.oneof(fc.integer(), fc.maxSafeInteger());
    case 'number':
      return fc.integer({ min: -1000, max: 1e6 }).map((tenths) => tenths / 10);
    default:
      return texts(schema);
  }
}

function texts({ format, maxLength = 600 }: JsonSchema): fc.Arbitrary<string> {
  if (format === 'uri') return fc.constantFrom('ftp://user:pw@host/a%20b', 'https://host:8443/x?y=z#f', 'urn:a:b');
  if (format === 'date-time') {
    const date = fc.date({ min: new Date(0), max: new Date('2099-12-31'), noInvalidDate: true });
    const zone = fc.constantFrom('Z', 'z', '+01:00', '-0330');
    return fc
      .tuple(date, zone, fc.constantFrom('', '.1', '.123456789'))
      .map(([d, z, fraction]) => d.toISOString().slice(0, 19) + fraction + z);
  }
  const exactly = fc.string({ unit: 'binary', minLength: maxLength, maxLength });
  return fc.oneof(
    {
      weight: 5,
      arbitrary: fc
        .string({ unit: 'grapheme', maxLength: Math.min(maxLength, 20) })
        .map((s) => [...s].slice(0, maxLength).join('')),
    },
    { weight: 1, arbitrary: exactly },
  );
}

/** A place in a payload. */
export interface Place {
  schema: JsonSchema;
  value: unknown;
  /** Puts something else there; `undefined` removes it. */
  put(value: unknown): void;
}

/** Every place of a payload, the payload itself first. */
export function places(schema: JsonSchema, value: unknown, put: (value: unknown) => void): Place[] {
  const here: Place = { schema, value, put };
  if (Array.isArray(value)) {
    return [
      here,
      ...value.flatMap((item, i) => places(schema.items as JsonSchema, item, (v) => value.splice(i, 1, v))),
    ];
  }
  if (value === null || typeof value !== 'object') return [here];
  const object = value as Record<string, unknown>;
  return [
    here,
    ...Object.keys(object).flatMap((key) =>
      places(schema.properties?.[key] as JsonSchema, object[key], (v) => {
        if (v === undefined) delete object[key];
        else object[key] = v;
      }),
    ),
  ];
}
