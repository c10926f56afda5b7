/** Sessions as CSV (RFC 4180): numbers stay numbers, and no text of a cell is a formula to a spreadsheet. */
import { averagePower, isoWithOffset, type Session } from '../../core/sessions.ts';

const HEADER = [
  ...['id', 'charger', 'user', 'start', 'end', 'energy_kwh', 'average_kw', 'peak_kw'],
  ...['cost', 'currency', 'cost_of_kwh', 'ended_by'],
];

/** One line per session below the names of the columns, each ended by CR LF. */
export function sessionsCsv(sessions: readonly Session[]): string {
  return [HEADER.map(text), ...sessions.map(cells)].map((line) => `${line.join(',')}\r\n`).join('');
}

function cells(session: Session): string[] {
  const { id, charger, user = '', start, startOffset, end, endOffset = 0, currency = '', endedBy = '' } = session;
  const known = session.pricedEnergy > 0;
  return [
    text(id),
    text(charger),
    text(user),
    text(isoWithOffset(start, startOffset)),
    text(end === undefined ? '' : isoWithOffset(end, endOffset)),
    number(session.energy / 1000, 3),
    number(averagePower(session) / 1000, 3),
    number(session.peakPower / 1000, 3),
    known ? number(session.cost, 4) : '',
    text(known ? currency : ''),
    known ? number(session.pricedEnergy / 1000, 3) : '',
    text(endedBy),
  ];
}

function number(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

/** What a spreadsheet may take for a formula, also behind spaces and in its full-width form. */
const FORMULA = /^[\s\uFEFF\u200B]*[=+\-@＝＋－＠]|^[\t\r\n]/;

/** A text in quotes. An apostrophe before what looks like a formula makes it a text to spreadsheets. */
function text(value: string): string {
  if (value === '') return '';
  // A spreadsheet may drop them, and then read what follows.
  const clean = value.replace(/\p{Cc}/gu, (c) => ('\t\r\n'.includes(c) ? c : ''));
  const harmless = FORMULA.test(clean) ? `'${clean}` : clean;
  return `"${harmless.replaceAll('"', '""')}"`;
}
