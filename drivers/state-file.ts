/** State that must survive `kill -9` and power loss: one small JSON file, replaced as a whole or not at all. */
import fs from 'node:fs';
import path from 'node:path';

const LARGEST_BYTES = 1_000_000;

export class StateFile {
  readonly #path: string;

  /** `name` becomes `<folder>/<name>.json`; characters that do not belong into a file name are replaced. */
  constructor(folder: string, name: string) {
    this.#path = path.join(folder, `${name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 100)}.json`);
  }

  /** What was written last; undefined when there is nothing, or nothing readable. */
  read(): unknown {
    try {
      if (fs.statSync(this.#path).size > LARGEST_BYTES) return undefined;
      return JSON.parse(fs.readFileSync(this.#path, 'utf8'));
    } catch {
      return undefined;
    }
  }

  /** Returns when the value is on the disk. Throws when it cannot be written. */
  write(value: unknown): void {
    const folder = path.dirname(this.#path);
    fs.mkdirSync(folder, { recursive: true });
    const temporary = `${this.#path}.tmp`;
    const file = fs.openSync(temporary, 'w', 0o600);
    try {
      fs.writeSync(file, JSON.stringify(value));
      fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
    fs.renameSync(temporary, this.#path);
    const directory = fs.openSync(folder, 'r');
    try {
      fs.fsyncSync(directory);
    } finally {
      fs.closeSync(directory);
    }
  }
}
