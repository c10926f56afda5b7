import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../scripts/test-counts.mjs', import.meta.url));

describe('last line of the checks', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fusewise-counts-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function sum(errors: '0' | '1', ...suites: ([number, number] | undefined)[]): [string, number | null] {
    const files = suites.map((counts, index) => {
      const file = join(folder, `${index}.json`);
      if (counts) writeFileSync(file, JSON.stringify({ passes: counts[0], failures: counts[1] }));
      return file;
    });
    const { stdout, status } = spawnSync(process.execPath, [SCRIPT, errors, ...files], { encoding: 'utf8' });
    return [stdout, status];
  }

  it('adds up the suites', () => assert.deepEqual(sum('0', [7, 0], [3, 0]), ['10 passed, 0 failed\n', 0]));
  it('fails with a failing test', () => assert.deepEqual(sum('1', [7, 2], [3, 0]), ['10 passed, 2 failed\n', 1]));
  it('fails when a suite left nothing', () =>
    assert.deepEqual(sum('1', [7, 0], undefined), ['7 passed, 1 failed\n', 1]));
  it('fails when a suite ran no test', () => assert.deepEqual(sum('0', [7, 0], [0, 0]), ['7 passed, 1 failed\n', 1]));
  it('fails when something else went wrong', () =>
    assert.deepEqual(sum('1', [7, 0], [3, 0]), ['10 passed, 1 failed\n', 1]));
});
