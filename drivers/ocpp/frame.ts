/** Frames of OCPP-J 1.6 (section 4.2): CALL, CALLRESULT, CALLERROR; reading and writing. Pure. */

/** The error codes of OCPP-J 1.6, table 7, spelled as there. */
export type OcppErrorCode =
  | 'NotImplemented'
  | 'NotSupported'
  | 'InternalError'
  | 'ProtocolError'
  | 'SecurityError'
  | 'FormationViolation'
  | 'PropertyConstraintViolation'
  | 'OccurenceConstraintViolation'
  | 'TypeConstraintViolation'
  | 'GenericError';

/** The specification says 36; longer ones are seen. */
export const MAX_ID_LENGTH = 128;
/**
 * Elements of all arrays of a frame. A frame of 64 KB has room for a thousand sampled values as stations send them, and for 32,000
 * elements that are each wrong, which would take a tenth of a second to say.
 */
export const MAX_ELEMENTS = 2000;
/** Where larger frames are let in, so many characters of one allow one more: the shortest sampled values are about as long. */
const CHARACTERS_PER_ELEMENT = 32;
/** A shorter frame is checked without counting. */
const FEW_CHARACTERS = 2 * MAX_ELEMENTS;
const MAX_ACTION_LENGTH = 64;
const MAX_CODE_LENGTH = 64;
const MAX_DESCRIPTION_LENGTH = 255;

/**
 * `id` is the JSON text of the message id (`"17"` with its quotes, or `17`), so that an answer carries the very same value, also
 * a number that no double holds. `payload` is undefined where the frame has none.
 */
export type Frame =
  | { type: 'call'; id: string; action: string; payload: unknown }
  | { type: 'result'; id: string; payload: unknown }
  | { type: 'error'; id: string; code: string; description: string };

/** A frame that says nothing. A call with a readable id can be answered with a CALLERROR: then `id` is there. */
export interface BadFrame {
  type: 'bad';
  id?: string;
  code: OcppErrorCode;
  description: string;
}

/** Reads a frame. Never throws; the size of the text is bounded by the socket. */
export function parseFrame(text: string): Frame | BadFrame {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return bad(`frame: ${quoted(text)} — expected JSON`);
  }
  if (!Array.isArray(value)) return bad(`frame: ${quoted(text)} — expected a JSON array`);
  const fields = value as unknown[];
  const id = messageId(fields[1], text);
  if (id === undefined) {
    return bad(`message id: ${shown(fields[1])} — expected 1 to ${MAX_ID_LENGTH} characters, or a number`);
  }
  const most = Math.max(MAX_ELEMENTS, Math.floor(text.length / CHARACTERS_PER_ELEMENT));
  if (text.length > FEW_CHARACTERS && elements(fields, most) > most) {
    const answerTo = fields[0] === 2 ? id : undefined;
    return bad(`payload: more than ${most} elements — expected a message of one station`, answerTo);
  }
  switch (fields[0]) {
    case 2:
      return parseCall(fields, id);
    case 3:
      if (fields.length === 2 || fields.length === 3) return { type: 'result', id, payload: fields[2] };
      return bad(`CALLRESULT: ${fields.length} elements — expected 3`);
    case 4:
      return parseError(fields, id);
    default:
      return bad(`message type: ${shown(fields[0])} — expected 2, 3 or 4`);
  }
}

function parseCall(fields: unknown[], id: string): Frame | BadFrame {
  const action = fields[2];
  if (typeof action !== 'string' || action === '' || action.length > MAX_ACTION_LENGTH) {
    return bad(`action: ${shown(action)} — expected its name`, id);
  }
  if (fields.length > 4) return bad(`CALL: ${fields.length} elements — expected 4`, id);
  return { type: 'call', id, action, payload: fields[3] };
}

function parseError(fields: unknown[], id: string): Frame | BadFrame {
  const [, , code, description] = fields;
  if (typeof code !== 'string' || fields.length > 5) return bad(`CALLERROR: ${shown(code)} — expected an error code`);
  return {
    type: 'error',
    id,
    code: code.slice(0, MAX_CODE_LENGTH),
    description: typeof description === 'string' ? description.slice(0, MAX_DESCRIPTION_LENGTH) : '',
  };
}

/** A number as it was written; JSON.parse has rounded it. */
const NUMBER_ID = /^\s*\[\s*\d\s*,\s*(-?\d[\d.eE+-]*)\s*[,\]]/;

function messageId(id: unknown, text: string): string | undefined {
  if (typeof id === 'string') return id !== '' && id.length <= MAX_ID_LENGTH ? JSON.stringify(id) : undefined;
  if (typeof id !== 'number') return undefined;
  const written = NUMBER_ID.exec(text)?.[1];
  return written !== undefined && written.length <= MAX_ID_LENGTH ? written : undefined;
}

/** `id`: a string of ours, at most 36 characters. */
export function formatCall(id: string, action: string, payload: object): string {
  return `[2,${JSON.stringify(id)},"${action}",${JSON.stringify(payload)}]`;
}

/** `id`: as `parseFrame` gave it. */
export function formatResult(id: string, payload: object): string {
  return `[3,${id},${JSON.stringify(payload)}]`;
}

/** `id`: as `parseFrame` gave it. The description is cut to the 255 characters that the specification allows. */
export function formatError(id: string, code: OcppErrorCode, description: string): string {
  return `[4,${id},"${code}",${JSON.stringify(description.slice(0, MAX_DESCRIPTION_LENGTH))},{}]`;
}

/** How many elements all arrays have together; stops counting above the bound. Nesting costs no stack. */
function elements(root: unknown[], most: number): number {
  const open: object[] = [root];
  let count = 0;
  for (let value = open.pop(); value !== undefined && count <= most; value = open.pop()) {
    if (Array.isArray(value)) count += value.length;
    for (const inner of Object.values(value)) if (inner !== null && typeof inner === 'object') open.push(inner);
  }
  return count;
}

function bad(description: string, id?: string): BadFrame {
  return { type: 'bad', code: 'FormationViolation', description, ...(id !== undefined && { id }) };
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

/** A value for a message; what is nested is only named, however deep it is. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null || value === undefined) return value === null ? 'null' : 'nothing';
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}
