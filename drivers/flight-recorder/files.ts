/** The recordings of one allocator on the disk: a few files with date and cause in their names, and no others. */
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

export interface RecordingFile {
  name: string;
  /** When its cause came, epoch ms. */
  at: number;
  /** Code of the alert, or `manual`. */
  cause: string;
  /** What the alert was about: id of a circuit or a charger. */
  source: string;
  bytes: number;
}

const NAME =
  /^(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z)\.([A-Za-z0-9_-]{1,36})\.([A-Za-z0-9_-]{1,36})\.([A-Za-z0-9_-]{1,60})\.jsonl\.gz$/;
const EXTENSION = '.jsonl.gz';

export class RecordingFiles {
  readonly #folder: string;
  readonly #owner: string;
  readonly #most: number;

  /** `most` files of the allocator `owner` are kept in the folder, which is made when the first one is written. */
  constructor(folder: string, owner: string, most: number) {
    this.#folder = folder;
    this.#owner = owner.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 60) || '_';
    this.#most = most;
  }

  /** The name of a recording; `at` in epoch ms. What cannot stand in a name is replaced. */
  name(at: number, cause: string, source: string): string {
    const date = new Date(at).toISOString().replace(/[:.]/g, '-');
    const part = (text: string) => text.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 36) || '_';
    return `${date}.${part(cause)}.${part(source)}.${this.#owner}${EXTENSION}`;
  }

  /** Writes a file as a whole or not at all; one of the same name is replaced. One write at a time. */
  async write(name: string, content: readonly Buffer[]): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const temporary = path.join(this.#folder, `${this.#owner}.tmp`);
    const file = await open(temporary, 'w', 0o600);
    try {
      for (const part of content) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path.join(this.#folder, name));
    await this.#removeOld();
  }

  /** What there is, the newest first. */
  async list(): Promise<RecordingFile[]> {
    const found = (await this.#names()).map(async (name) => {
      const [, date, cause, source] = NAME.exec(name) as RegExpExecArray;
      const at = Date.parse(date.replace(/T(\d\d)-(\d\d)-(\d\d)-/, 'T$1:$2:$3.'));
      // One that has just been removed is no fault.
      const bytes = await stat(path.join(this.#folder, name)).then(
        (s) => (s.isFile() ? s.size : undefined),
        () => undefined,
      );
      return bytes === undefined ? [] : [{ name, at, cause, source, bytes }];
    });
    return (await Promise.all(found)).flat().sort((a, b) => b.at - a.at || (a.name < b.name ? -1 : 1));
  }

  /** The content of a file that is in the list; undefined for any other name. */
  async read(name: string): Promise<Buffer | undefined> {
    const known = (await this.list()).find((file) => file.name === name);
    return known && readFile(path.join(this.#folder, known.name));
  }

  async #names(): Promise<string[]> {
    const all = await readdir(this.#folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
    return all.filter((name) => NAME.exec(name)?.[4] === this.#owner);
  }

  /** The oldest goes of the cause that has most: a charger that is lost every hour does not push the only overload out. */
  async #removeOld(): Promise<void> {
    const files = await this.list();
    while (files.length > this.#most) {
      const count = new Map<string, number>();
      for (const { cause } of files) count.set(cause, (count.get(cause) ?? 0) + 1);
      const most = Math.max(...count.values());
      const oldest = files.findLastIndex(({ cause }) => count.get(cause) === most);
      const [{ name }] = files.splice(oldest, 1);
      await rm(path.join(this.#folder, name), { force: true });
    }
  }
}
