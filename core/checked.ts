/** Checks of numbers that come from outside: a RangeError names field, value and what was expected. */

/** A finite number from `least` to `most`. */
export function checkNumber(field: string, value: number, least = Number.NEGATIVE_INFINITY, most = Infinity): void {
  if (typeof value === 'number' && Number.isFinite(value) && value >= least && value <= most) return;
  const range =
    least === Number.NEGATIVE_INFINITY ? '' : most === Infinity ? ` from ${least}` : ` from ${least} to ${most}`;
  throw new RangeError(`${field}: ${String(value)} — expected a finite number${range}`);
}

/** The same where a value is given at all. */
export function checkOptional(field: string, value: number | undefined, least?: number, most?: number): void {
  if (value !== undefined) checkNumber(field, value, least, most);
}
