/** `npm run replay`: what it prints, and what it ends with. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { recordDay } from '../core/recorded-day.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/replay.ts', import.meta.url));

describe('npm run replay', function () {
  this.timeout(60_000);
  const { lines } = recordDay({ seed: 3, minutes: 5, chunk: 60 });
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'fusewise-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function run(content: string | Buffer | undefined, ...more: string[]) {
    const file = join(folder, 'recording.jsonl.gz');
    if (content !== undefined) writeFileSync(file, content);
    const args = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', SCRIPT, ...(content === undefined ? [] : [file])];
    const { status, stdout, stderr } = spawnSync(process.execPath, [...args, ...more], { encoding: 'utf8' });
    return { status, out: stdout.trimEnd().split('\n'), stderr };
  }

  it('tells the recording in sentences and ends well where it is identical', () => {
    const { status, out, stderr } = run(gzipSync(lines.join('')));
    assert.equal(stderr, '');
    assert.match(out.at(-1) ?? '', /^\d+ decisions, \d+ set-points, \d+ state\(s\): identical$/);
    assert.ok(
      out.some((line) => / A — (?!\w+-)\w/.test(line)),
      'reasons are sentences',
    );
    assert.ok(out.some((line) => /: L1 \d/.test(line)));
    assert.equal(status, 0);
  });

  it('says only how it ends when that is asked for, of an unpacked file, too', () => {
    const { status, out } = run(lines.join(''), '--quiet');
    assert.equal(out.length, 1);
    assert.match(out[0], /: identical$/);
    assert.equal(status, 0);
  });

  it('says what is different first, and by what else it was recorded', () => {
    const { status, out } = run(gzipSync(lines.join('').replace(/"current":16,/, '"current":15,')), '--quiet');
    assert.match(
      out[0],
      /: 1 differ; the first at 2023-11-14 22:\S+ UTC: decision, setpoints\.\d+\.current: recorded 15, replayed 16 \(line \d+\)$/,
    );
    assert.match(
      out[1],
      /^It was recorded by version test on Node\.js test, test, this is version \d+\.\d+\.\d+ on Node\.js v/,
    );
    assert.equal(status, 1);
  });

  it('says why it cannot read a file', () => {
    const packed = gzipSync(lines.join(''));
    const refused: [string, string | Buffer | undefined, RegExp][] = [
      ['no file is named', undefined, /usage: npm run replay -- FILE/],
      ['it is cut off', packed.subarray(0, packed.length / 2), /unexpected end of file/],
      ['it is something else', 'Hello', /line 1: .*JSON/],
    ];
    for (const [what, content, expected] of refused) {
      const { status, stderr } = run(content);
      assert.match(stderr, expected, what);
      assert.equal(status, 2, what);
    }
  });
});
