/** What a person should know of the session store, raised once and cleared once. */
import type { Node } from 'node-red';
import { formatTopic, type Language, type Sentence, sentence } from '../../messages/index.ts';

const TEXTS = {
  'sessions-not-saved': [
    'Charging sessions cannot be saved: {detail}. Those that are over are kept in memory meanwhile. Check the disk.',
    'Ladevorgänge lassen sich nicht speichern: {detail}. Beendete bleiben solange im Arbeitsspeicher. Datenträger prüfen.',
  ],
  'sessions-damaged': [
    'The file of charging sessions was damaged ({detail}). It was set aside as {file}, and a new one begun.',
    'Die Datei der Ladevorgänge war beschädigt ({detail}). Sie liegt jetzt als {file} daneben, eine neue ist angelegt.',
  ],
  'sessions-unusable': [
    'Charging sessions are not kept: {detail}.',
    'Ladevorgänge werden nicht aufgezeichnet: {detail}.',
  ],
} as const satisfies Readonly<Record<string, Sentence>>;
type Code = keyof typeof TEXTS;

export class SessionAlerts {
  readonly #node: Node;
  readonly #language: Language;
  readonly #topic: string;
  readonly #active = new Map<Code, Record<string, string>>();
  /** Until all nodes are there nobody hears a message. */
  #waiting: object[] | undefined = [];

  constructor(node: Node, language: Language) {
    this.#node = node;
    this.#language = language;
    this.#topic = formatTopic({ kind: 'alert', id: `sessions-${node.id}`.slice(0, 36) });
  }

  raise(code: Code, args: Record<string, string>): void {
    if (this.#active.has(code)) return;
    this.#active.set(code, args);
    this.#tell(code, args, true);
  }

  clear(code: Code): void {
    const args = this.#active.get(code);
    if (args && this.#active.delete(code)) this.#tell(code, args, false);
  }

  has(code: Code): boolean {
    return this.#active.has(code);
  }

  /** The flows have started. */
  listened(): void {
    for (const payload of this.#waiting ?? []) this.#send(payload);
    this.#waiting = undefined;
  }

  #tell(code: Code, args: Record<string, string>, active: boolean): void {
    const text = sentence(TEXTS, this.#language, code, args).slice(0, 500);
    if (active) this.#node.error(text);
    else this.#node.log(this.#language === 'de' ? `vorbei: ${text}` : `over: ${text}`);
    const payload = { at: Date.now(), severity: 'error', code, args, text, active };
    if (this.#waiting) this.#waiting.push(payload);
    else this.#send(payload);
  }

  #send(payload: object): void {
    this.#node.send([null, null, { topic: this.#topic, payload }]);
  }
}
