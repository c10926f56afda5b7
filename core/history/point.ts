/** What a time-series database takes: one moment of one series. */
export type FieldValue = number | string | boolean;

export interface Point {
  measurement: string;
  /** Few values each: they make the series. */
  tags: Readonly<Record<string, string>>;
  /** The unit of a number stands at the end of its name: `_a`, `_w`, `_wh`, `_v`, `_s`, `_percent`. */
  fields: Record<string, FieldValue>;
  /** Epoch ms. */
  timestamp: number;
}

/** A point before anybody has decided whether, and when exactly, it is written. */
export interface Sample extends Omit<Point, 'timestamp'> {
  /** The sender's clock, epoch ms. */
  at: number;
  /** The timestamp says which thing this is, so that what is written later replaces what was written before. */
  replaces?: boolean;
}

/**
 * A text as the value of a tag. An empty one, a line break or a backslash at the end would make a line that the database cannot
 * read, and the point would be lost.
 */
export function tagValue(text: string, empty = 'none'): string {
  return text.replace(/[\p{Cc}\\]/gu, ' ').trim() || empty;
}
