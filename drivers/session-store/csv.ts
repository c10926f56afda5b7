/**
 * Sessions as CSV: numbers stay numbers, and no text is a formula to a spreadsheet, whichever separator that takes the file to
 * have. RFC 4180 in English; in German with semicolons and decimal commas, as spreadsheets there expect a file to be.
 */
import { averagePower, isoWithOffset, type Session } from '../../core/sessions.ts';

const HEADER = [
  ...['id', 'charger', 'user', 'start', 'end', 'energy_kwh', 'average_kw', 'peak_kw'],
  ...['cost', 'currency', 'cost_of_kwh', 'ended_by'],
];

/** One line per session below the names of the columns, each ended by CR LF. */
export function sessionsCsv(sessions: readonly Session[], language: keyof typeof STYLES = 'en-US'): string {
  const { separator, decimal } = STYLES[language];
  const lines = [HEADER.map(text), ...sessions.map((session) => cells(session, decimal))];
  return lines.map((line) => `${line.join(separator)}\r\n`).join('');
}

/** The separator is never that of decimals. */
const STYLES = {
  'en-US': { separator: ',', decimal: '.' },
  de: { separator: ';', decimal: ',' },
} as const;

function cells(session: Session, decimal: string): string[] {
  const { id, charger, user = '', start, startOffset, end, endOffset = 0, currency = '', endedBy = '' } = session;
  const known = session.pricedEnergy > 0;
  const number = (value: number, digits: number) => String(Number(value.toFixed(digits))).replace('.', decimal);
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

/** What may be taken for the end of a cell, and before what is then taken for a formula: also behind quotes and what is not seen. */
const FORMULA = /(^|[,;|])(?=[\s\p{Cf}"]*[=+\-@＝＋－＠])/gu;

/** A text in quotes, on one line. An apostrophe before what looks like a formula makes it a text to spreadsheets. */
function text(value: string): string {
  if (value === '') return '';
  // A spreadsheet that reads other separators ends a line or a cell here; of the rest it may drop some, and then read what follows.
  const clean = value.replace(/[\t\n\v\f\r\u0085\u2028\u2029]+/g, ' ').replace(/\p{Cc}/gu, '');
  return `"${clean.replace(FORMULA, "$1'").replaceAll('"', '""')}"`;
}
