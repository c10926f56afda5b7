/**
 * Text that is compressed while it comes, in blocks of 64 kB: each is a gzip member of its own, and members one after another
 * are a gzip file (RFC 1952, 2.2). Compressing happens on Node's thread pool, making long texts bit by bit between other work.
 */
import { setImmediate as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** A text as one gzip member. */
export const compress: (text: string) => Promise<Buffer> = promisify<string, Buffer>(gzip);
/** About so much is made and compressed at once. */
export const BLOCK_CHARACTERS = 65_536;

export class Blocks {
  readonly #members: Promise<Buffer>[] = [];
  #open: string[] = [];
  #openCharacters = 0;
  #bytes = 0;

  /** How much it holds, bytes: compressed, or characters as long as they are not. */
  get bytes(): number {
    return this.#bytes + this.#openCharacters;
  }

  /** Adds a line. */
  add(line: string): void {
    this.#open.push(line);
    this.#openCharacters += line.length;
    if (this.#openCharacters >= BLOCK_CHARACTERS) this.#close();
  }

  /** Adds many lines that are yet to be made: here is their place, but each is made when there is time. */
  addLater(lines: Iterable<string>): void {
    this.#close();
    this.#keep(this.#make(lines));
  }

  /** Everything that was added until now, as gzip members. Rejects where the memory did not suffice for one. */
  members(): Promise<Buffer[]> {
    const open = this.#open.length > 0 ? [compress(this.#open.join(''))] : [];
    return Promise.all([...this.#members, ...open]);
  }

  #close(): void {
    if (this.#open.length > 0) this.#keep(this.#pack(this.#open.join('')));
    this.#open = [];
    this.#openCharacters = 0;
  }

  async #pack(text: string): Promise<Buffer> {
    this.#bytes += text.length;
    const member = await compress(text);
    this.#bytes += member.length - text.length;
    return member;
  }

  async #make(lines: Iterable<string>): Promise<Buffer> {
    await pause();
    const members: Buffer[] = [];
    let text = '';
    for (const line of lines) {
      text += line;
      if (text.length < BLOCK_CHARACTERS) continue;
      members.push(await this.#pack(text));
      text = '';
    }
    members.push(await this.#pack(text));
    return Buffer.concat(members);
  }

  /** Whoever asks for the members learns of an error; until then it is nobody's. */
  #keep(member: Promise<Buffer>): void {
    member.catch(() => {});
    this.#members.push(member);
  }
}
