/** Answers to one station in the order of its calls, also where one of them takes time. */

/** Calls of a station that are being answered at once. */
const MAX_WAITING = 64;
/** ms after which an answer is not waited for. */
const TIMEOUT_MS = 30_000;

interface Place {
  since: number;
  /** What goes out when the answer does not come. */
  instead: string;
  text?: string;
  after?: (() => void) | undefined;
}

export class ReplyLine {
  readonly #send: (text: string) => void;
  readonly #run: (after: () => void) => void;
  readonly #places: Place[] = [];

  /** `run` does what is to be done after an answer; neither of the two throws. */
  constructor(send: (text: string) => void, run: (after: () => void) => void) {
    this.#send = send;
    this.#run = run;
  }

  get full(): boolean {
    return this.#places.length >= MAX_WAITING;
  }

  /** An answer that is there. */
  add(text: string, now: number, after?: () => void): void {
    if (this.#places.length === 0) this.#out(text, after);
    else this.#places.push({ since: now, instead: text, text, after });
  }

  /** A place for an answer that is to come; `instead` goes out when it takes too long. */
  reserve(instead: string, now: number): (text: string, after?: () => void) => void {
    const place: Place = { since: now, instead };
    this.#places.push(place);
    return (text, after) => {
      if (place.text !== undefined) {
        // Not waited for any longer; what it leads to is still to be done.
        if (after) this.#run(after);
        return;
      }
      place.text = text;
      place.after = after;
      this.#flush();
    };
  }

  /** How many answers are not waited for from now on. */
  tick(now: number): number {
    let late = 0;
    for (const place of this.#places) {
      if (place.text !== undefined || now - place.since < TIMEOUT_MS) continue;
      place.text = place.instead;
      late += 1;
    }
    this.#flush();
    return late;
  }

  #flush(): void {
    while (this.#places[0]?.text !== undefined) {
      const { text, after } = this.#places.shift() as Place & { text: string };
      this.#out(text, after);
    }
  }

  #out(text: string, after?: () => void): void {
    this.#send(text);
    if (after) this.#run(after);
  }
}
