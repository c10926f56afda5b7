/**
 * The last line of the checks: adds up what the suites counted. A suite that left no counts, or counted nothing,
 * has failed. Arguments: 1 when a suite ended with an error, then the files that the reporter wrote.
 */
import { existsSync, readFileSync } from 'node:fs';

const [errors, ...files] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const file of files) {
  const counts = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { passes: 0, failures: 0 };
  if (counts.passes + counts.failures === 0) failed += 1;
  passed += counts.passes;
  failed += counts.failures;
}
// Lint, a crash or a timeout fail a suite without a failing test.
if (errors !== '0' && failed === 0) failed = 1;
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
