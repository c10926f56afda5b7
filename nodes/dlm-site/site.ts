import { ConfigError, choiceField, numberField } from '../fields.ts';
import type { Language } from './registry.ts';

/** The fields of the dlm-site form. */
export interface SiteFields {
  name?: string;
  timeZone?: unknown;
  voltage?: unknown;
  currency?: unknown;
  language?: unknown;
}

export interface SiteSettings {
  name: string;
  /** IANA name, such as Europe/Berlin. */
  timeZone: string;
  /** Nominal phase voltage, V. */
  voltage: number;
  /** ISO 4217. */
  currency: string;
  language: Language;
}

/**
 * Reads the form. A field that cannot be used is reported and replaced by its default: a wrong currency must not
 * take the protection of the site away.
 */
export function readSite(fields: SiteFields): { settings: SiteSettings; problems: ConfigError[] } {
  const problems: ConfigError[] = [];
  const or = <T>(fallback: T, read: () => T): T => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error);
      return fallback;
    }
  };
  const settings: SiteSettings = {
    name: fields.name ?? '',
    timeZone: or('UTC', () => timeZoneField(fields.timeZone)),
    voltage: or(230, () => numberField('voltage', fields.voltage, { min: 90, max: 300, fallback: 230, unit: 'V' })),
    currency: or('EUR', () => currencyField(fields.currency)),
    language: or('en-US', () => choiceField('language', fields.language, ['en-US', 'de'])),
  };
  return { settings, problems };
}

function timeZoneField(value: unknown): string {
  const zone = String(value ?? '').trim() || 'UTC';
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    throw new ConfigError('timeZone', value, 'a time zone such as Europe/Berlin');
  }
}

function currencyField(value: unknown): string {
  const currency =
    String(value ?? '')
      .trim()
      .toUpperCase() || 'EUR';
  if (/^[A-Z]{3}$/.test(currency)) return currency;
  throw new ConfigError('currency', value, 'three letters such as EUR');
}
