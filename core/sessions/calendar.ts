/** The site's calendar. Days are `2026-11-27`, months `2026-11`, years `2026`. */

const MINUTE_MS = 60_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Minutes that clocks in a time zone (IANA name) are ahead of UTC at a moment, epoch ms. */
export function zoneOffset(at: number, timeZone: string): number {
  let format = formats.get(timeZone);
  if (!format) {
    const part = '2-digit';
    const fields = { year: 'numeric', month: part, day: part, hour: part, minute: part, second: part } as const;
    format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', ...fields });
    formats.set(timeZone, format);
  }
  const of = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const local = Date.UTC(of.year, of.month - 1, of.day, of.hour, of.minute, of.second);
  return Math.round((local - Math.floor(at / 1000) * 1000) / MINUTE_MS);
}

/** The day on site at a moment. */
export function dayOf(at: number, offset: number): string {
  return new Date(at + offset * MINUTE_MS).toISOString().slice(0, 10);
}

/** ISO 8601 with its offset, such as `2026-11-27T06:30:00+01:00`. */
export function isoWithOffset(at: number, offset: number): string {
  const size = Math.abs(offset);
  const two = (value: number) => String(value).padStart(2, '0');
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
  return new Date(at + offset * MINUTE_MS).toISOString().slice(0, 19) + zone;
}

const PERIOD = /^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$/;

/** Whether a text is a day, a month or a year. */
export function isPeriod(text: string): boolean {
  if (!PERIOD.test(text)) return false;
  return text.length < 10 || new Date(`${text}T00:00:00Z`).toISOString().startsWith(text);
}
