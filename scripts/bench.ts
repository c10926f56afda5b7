/**
 * `npm run bench -- <name> [--json] [arguments]`: runs `bench/<name>.ts`. Its default export gets the remaining
 * arguments, prints a table for people and returns its figures; with `--json` they are the last line, as one object.
 */
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

type Bench = (args: string[]) => Promise<Record<string, unknown>> | Record<string, unknown>;

const FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../bench');

const [name, ...args] = process.argv.slice(2);
const names = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => entry.name.slice(0, -'.ts'.length));

if (!names.includes(name)) {
  process.stderr.write(`usage: npm run bench -- <name> [--json], with one of: ${names.join(', ')}\n`);
  process.exit(2);
}
const { default: bench } = (await import(pathToFileURL(join(FOLDER, `${name}.ts`)).href)) as { default: Bench };
const figures = await bench(args.filter((argument) => argument !== '--json'));
if (args.includes('--json')) process.stdout.write(`${JSON.stringify(figures)}\n`);
