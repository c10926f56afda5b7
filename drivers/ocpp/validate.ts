/** Whether a payload is what OCPP 1.6 says: strict, or tolerant with what can be repaired without guessing. */
import type { z } from 'zod';
import { type OcppErrorCode, shown } from './frame.ts';
import { type Issue, pathText, valueAt } from './issue.ts';
import { Repair } from './repair.ts';

export interface ValidateOptions {
  /** Repair what is unambiguous. */
  tolerant: boolean;
  /** Epoch ms: what a missing timestamp is repaired with. */
  wallClock: number;
}

export type Validated =
  | {
      ok: true;
      payload: object;
      /** What was repaired, at most 20 sentences. Empty for a payload as specified. */
      repairs: string[];
    }
  | { ok: false; code: OcppErrorCode; description: string };

/** Repairing one place may uncover the next. */
const MAX_ROUNDS = 6;
/** A frame of 64 KB has not as many elements, see `MAX_ELEMENTS` of frame.ts. */
const MAX_ISSUES = 5000;

/**
 * Checks a payload that JSON.parse gave and nobody else holds: a tolerant check changes it in place. What it returns has no
 * prototype but that of objects and arrays, and is not larger than what came in but for timestamps.
 */
export function validate(schema: z.ZodType<object>, payload: unknown, options: ValidateOptions): Validated {
  const strict = schema.safeParse(payload);
  if (strict.success) return { ok: true, payload: payload as object, repairs: [] };
  let issues = strict.error.issues;
  if (!options.tolerant) return refusal(payload, issues);
  const repair = new Repair(payload, options.wallClock);
  for (let round = 0; round < MAX_ROUNDS && issues.length <= MAX_ISSUES; round++) {
    const hopeless = issues.find((issue) => !repair.issue(issue));
    if (hopeless) return refusal(repair.payload, [hopeless]);
    repair.endRound();
    const result = schema.safeParse(repair.payload);
    if (result.success) return { ok: true, payload: repair.restored() as object, repairs: repair.done };
    issues = result.error.issues;
  }
  return refusal(repair.payload, issues);
}

function refusal(payload: unknown, issues: readonly Issue[]): Validated {
  const issue = issues[0] as Issue;
  const value = valueAt(payload, issue.path);
  const field = pathText(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.slice(0, 3).map((key) => key.slice(0, 40));
    const description = `${field}: unknown field ${keys.join(', ')} — expected only the fields of OCPP 1.6`;
    return { ok: false, code: 'FormationViolation', description };
  }
  return {
    ok: false,
    code: code(issue, value),
    description: `${field}: ${shown(value)} — expected ${expected(issue)}`,
  };
}

function code(issue: Issue, value: unknown): OcppErrorCode {
  if (value === undefined) return issue.path.length === 0 ? 'FormationViolation' : 'OccurenceConstraintViolation';
  if (issue.code === 'invalid_type') return 'TypeConstraintViolation';
  if (issue.code === 'too_small') return 'OccurenceConstraintViolation';
  if (issue.code === 'invalid_value' && typeof value !== 'string') return 'TypeConstraintViolation';
  return 'PropertyConstraintViolation';
}

function expected(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int'
        ? 'an integer'
        : `${/^[aeiou]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}`;
    case 'invalid_value':
      return issue.values.length > 8 ? 'a value of the list of OCPP 1.6' : `one of ${issue.values.join(', ')}`;
    case 'too_big':
      return `at most ${issue.maximum} characters`;
    case 'too_small':
      return `at least ${issue.minimum} elements`;
    case 'not_multiple_of':
      return `a multiple of ${issue.divisor}`;
    case 'invalid_format':
      return issue.format === 'datetime' ? 'a date-time of RFC 3339' : `a ${issue.format}`;
    default:
      return 'what OCPP 1.6 specifies';
  }
}
