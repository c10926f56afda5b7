import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fingerprint, pictures } from '../../scripts/pictures.ts';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const FOLDER = join(ROOT, 'docs/pictures');
const taken: Record<string, string> = JSON.parse(readFileSync(join(FOLDER, 'sources.json'), 'utf8'));

describe('pictures of the documentation', () => {
  for (const picture of pictures(ROOT))
    it(`${picture.name} shows what there is now`, () => {
      assert.ok(existsSync(join(FOLDER, `${picture.name}.png`)), 'is missing: npm run screenshots');
      assert.equal(taken[picture.name], fingerprint(picture), `is old: npm run screenshots -- ${picture.name}`);
    });

  it('a changed form makes its picture old', () => {
    const [first] = pictures(ROOT);
    assert.notEqual(fingerprint({ ...first, source: `${first.source} ` }), fingerprint(first));
  });
});
