import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { messagesPage } from '../../scripts/messages-doc.ts';

describe('docs/messages.md', () => {
  it('is what the schemas say (npm run docs:messages)', () => {
    const file = fileURLToPath(new URL('../../docs/messages.md', import.meta.url));
    assert.equal(readFileSync(file, 'utf8'), messagesPage());
  });
});
