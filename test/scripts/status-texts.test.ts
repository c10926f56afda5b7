import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const page = readFileSync(join(ROOT, 'docs/troubleshooting.md'), 'utf8');

/** Fixed texts that a node's source shows as its status. */
function statusTexts(source: string): string[] {
  const shown = /(?:text: |'(?:dot|ring)', (?:\w+ \? )?)'([a-z][^'`$]+)'(?:\s*: '([^']+)')?/g;
  return [...source.matchAll(shown)].flatMap(([, ...texts]) => texts.filter((text) => text !== undefined));
}

describe('docs/troubleshooting.md', () => {
  for (const file of readdirSync(join(ROOT, 'nodes'), { recursive: true }).map(String)) {
    if (!file.endsWith('.ts')) continue;
    const source = readFileSync(join(ROOT, 'nodes', file), 'utf8');
    if (!source.includes('status')) continue;
    for (const text of new Set(statusTexts(source)))
      it(`${file}: "${text}"`, () => assert.ok(page.includes(`\`${text}\``), text));
  }

  it('would notice a text that is not there', () => {
    const source = "status.show('red', 'ring', mqtt ? 'check fuse' : 'check box')";
    assert.deepEqual(statusTexts(source), ['check fuse', 'check box']);
  });
});
