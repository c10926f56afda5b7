import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nodePages } from '../../scripts/nodes-doc.ts';

const FOLDER = fileURLToPath(new URL('../../docs/nodes/', import.meta.url));

describe('docs/nodes', () => {
  for (const [file, text] of nodePages())
    it(`${file} is what the editor shows (npm run docs:nodes)`, () => {
      assert.equal(readFileSync(FOLDER + file, 'utf8'), text);
      // Every field is told by name and with what it takes.
      assert.doesNotMatch(text, /\| undefined|\.label\.|\.error\./);
    });

  it('has no page of a node that is gone', () => {
    assert.deepEqual(readdirSync(FOLDER).sort(), [...nodePages().keys()].sort());
  });
});
