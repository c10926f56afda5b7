import assert from 'node:assert/strict';
import fc from 'fast-check';
import { sessionsCsv } from '../../../drivers/session-store/csv.ts';
import { going, session } from './past.ts';

/** What spreadsheets take for one (OWASP, CSV Injection), also where they drop what stands before it. */
const FORMULA = /^[\s\uFEFF\u200B"]*[=+\-@＝＋－＠]|^[\t\r\n]/;
const NUMBER = /^-?\d+([.,]\d+)?(e-?\d+)?$/;

describe('sessions as CSV', () => {
  it('is what RFC 4180 says, with numbers as numbers', () => {
    const csv = sessionsCsv([
      session(0, { user: 'Anna "A", Volta\r\nsecond line', energy: 12_345.6, cost: -0.5 }),
      { ...going(4), pricedEnergy: 0 },
    ]);
    const [header, one, two, end] = csv.split('\r\n');
    assert.equal(header.split(',')[0], '"id"');
    assert.equal(
      one,
      `"${session(0).id}","box","Anna ""A"", Volta second line","2026-10-24T23:30:00+02:00","2026-10-25T00:30:00+02:00",12.346,1.1,1.1,-0.5,"EUR",1,"unplugged"`,
    );
    assert.equal(two, `"${going(4).id}","box",,"2026-10-25T02:30:00+01:00",,1,1,1.1,,,,`);
    assert.equal(end, '');
  });

  it('in German it has semicolons and decimal commas, and a spreadsheet there finds every cell', () => {
    const csv = sessionsCsv([session(0, { user: 'Volta, Anna; 2. Stock', energy: 12_345.6, cost: -0.5 })], 'de');
    const [header, cells] = parse(csv, ';');
    assert.deepEqual([header.length, cells.length], [12, 12]);
    assert.deepEqual(cells.slice(2, 3), ['Volta, Anna; 2. Stock']);
    assert.deepEqual(cells.slice(5), ['12,346', '1,1', '1,1', '-0,5', 'EUR', '1', 'unplugged']);
  });

  it('no cell begins as a formula, whichever separator it is read with, and every text can still be read', () => {
    const ends = fc.constantFrom(',', ';', '\t', '|', '\r\n', '\r', '\n', '\u2028', '"', '');
    const unseen = fc.constantFrom('', ' ', '"', '""', '\uFEFF', '\u200B', '\t', '\u0000', '\u00A0');
    const formula = fc.constantFrom('=1+1', '+1', '-1', '@SUM(A1)', '＝1', `=cmd|'/c calc'!A0`, 'Anna', "'");
    const evil = fc
      .array(fc.tuple(ends, unseen, formula), { maxLength: 4 })
      .map((parts) => parts.flat().join(''))
      .map((rest) => rest.slice(0, 60));
    const names = fc.oneof(
      evil,
      evil.map((rest) => `a${rest}`),
      fc.string({ unit: 'binary', maxLength: 12 }),
    );
    fc.assert(
      fc.property(names, names, fc.constantFrom('en-US', 'de'), (user, charger, language) => {
        const csv = sessionsCsv([session(0, { user, charger, cost: -1.5 })], language);
        for (const separator of [',', ';', '\t', '|'])
          for (const cell of parse(csv, separator).flat())
            assert.ok(!FORMULA.test(cell) || NUMBER.test(cell), JSON.stringify({ separator, cell, csv }));
        // Whatever a program splits at, and whatever it makes of quotes.
        for (const cell of csv.split(/[,;\t|\r\n]/))
          assert.ok(!FORMULA.test(cell) || NUMBER.test(cell), JSON.stringify({ cell, csv }));
        const [, cells, ...more] = parse(csv, language === 'de' ? ';' : ',');
        assert.deepEqual([cells.length, more], [12, []]);
        const readable = (text: string) => text.replace(/[\s\p{Cc}']+/gu, '');
        assert.deepEqual(cells.slice(1, 3).map(readable), [charger, user].map(readable));
      }),
      { numRuns: 2000 },
    );
    const [, harmless] = parse(sessionsCsv([session(0, { user: 'Anna-Lena (CEO); @home, 5+5=10' })]), ',');
    assert.equal(harmless[2], "Anna-Lena (CEO);' @home, 5+5=10", 'nothing but what is dangerous changes');
  });
});

/** As spreadsheets read a file, by another way than it is written: quotes count only where a cell begins with one. */
function parse(csv: string, separator: string): string[][] {
  const lines: string[][] = [[]];
  const end = `\\${separator}\\r\\n`;
  const cell = new RegExp(`(?:"((?:[^"]|"")*)(?:"|$))?([^${end}]*)(\\${separator}|\\r\\n|\\r|\\n|$)`, 'y');
  while (cell.lastIndex < csv.length) {
    const [, quoted = '', rest, by] = cell.exec(csv) ?? assert.fail(csv);
    lines.at(-1)?.push(quoted.replaceAll('""', '"') + rest);
    if (by !== separator) lines.push([]);
  }
  return lines.slice(0, -1);
}
