/** The dashboards as Grafana would ask the database: panels with their queries, macros and variables filled in. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Influx, Series } from './influxd.ts';

export interface Panel {
  title: string;
  type: string;
  unit?: string;
  /** Unit by the name of a column, where columns differ. */
  units: Record<string, string>;
  queries: string[];
  /** The last so much of a range that ends now, such as `2m`, whatever the dashboard shows. */
  timeFrom?: string;
}

export interface Dashboard {
  title: string;
  panels: Panel[];
  /** Queries of variables and annotations. */
  others: string[];
}

interface JsonPanel {
  title: string;
  type: string;
  timeFrom?: string;
  targets: { query: string; rawQuery: boolean; datasource: { type: string; uid: string } }[];
  fieldConfig: {
    defaults: { unit?: string };
    overrides: { matcher: { id: string; options: string }; properties: { id: string; value: unknown }[] }[];
  };
}

interface Json {
  title: string;
  /** Those of a row that is folded up stand in the row. */
  panels: (JsonPanel | { type: 'row'; panels: JsonPanel[] })[];
  templating: { list: { name: string; type: string; query: string }[] };
  annotations: { list: { query: string }[] };
}

export const DASHBOARDS = ['home', 'site'];

export function readDashboard(name: string): Dashboard {
  const file = new URL(`../../stack/grafana/dashboards/${name}.json`, import.meta.url);
  const json = JSON.parse(readFileSync(file, 'utf8')) as Json;
  return {
    title: json.title,
    panels: json.panels
      .flatMap((panel) => ('panels' in panel ? panel.panels : [panel]))
      .map(({ title, type, timeFrom, targets, fieldConfig: { defaults, overrides } }) => ({
        title,
        type,
        timeFrom,
        unit: defaults.unit,
        units: Object.fromEntries(
          overrides.flatMap(({ matcher, properties }) =>
            properties.filter((p) => p.id === 'unit').map((p) => [matcher.options, String(p.value)]),
          ),
        ),
        queries: targets.map((target) => target.query),
      })),
    others: [
      ...json.templating.list.filter((variable) => variable.type === 'query').map((variable) => variable.query),
      ...json.annotations.list.map((annotation) => annotation.query),
    ],
  };
}

export interface Range {
  from: number;
  to: number;
  interval: string;
  variables: Record<string, string>;
}

/** As Grafana's InfluxQL data source fills in a raw query. What is left with a `$` was not known. */
export function filled(query: string, { from, to, interval, variables }: Range): string {
  const text = query
    .replaceAll('$timeFilter', `time >= ${from}ms and time <= ${to}ms`)
    .replaceAll('$__interval', interval)
    .replaceAll(/\$(\w+)/g, (all, name: string) => variables[name] ?? all)
    // A regular expression ends with the only dollar that is none of Grafana's.
    .replaceAll('.*$/', '.*/');
  if (/\$\w/.test(text)) throw new Error(`an unknown variable: ${text}`);
  return text;
}

const MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, y: 365 * 86_400_000 };

/** The range of a panel, where the dashboard's ends now. */
export function rangeOf({ timeFrom }: Panel, range: Range): Range {
  if (timeFrom === undefined) return range;
  const [, count, unit] = /^(\d+)([mhdy])$/.exec(timeFrom) ?? [];
  if (!unit) throw new Error(`timeFrom: ${timeFrom} — expected such as 2m or 30d`);
  return { ...range, from: range.to - Number(count) * MS[unit] };
}

/** Ending of a field's name → Grafana's name of the unit, and what is plausible on a site. */
const UNITS: Record<string, { grafana: string; range: [number, number] }> = {
  a: { grafana: 'amp', range: [-100, 1000] },
  w: { grafana: 'watt', range: [0, 500_000] },
  wh: { grafana: 'watth', range: [0, 2_000_000] },
  s: { grafana: 's', range: [0, 86_400] },
  percent: { grafana: 'percent', range: [0, 150] },
};

/** Fields that are queried: what stands in quotes and is no tag, no measurement or retention policy, no alias. */
export function fieldsOf(query: string): string[] {
  const selected = query.replaceAll(/ AS "[^"]*"/g, '');
  const names = [...selected.matchAll(/"(\w+)"/g)].map(([, name]) => name);
  const measurements = [...selected.matchAll(/FROM (?:"(\w+)"\.)?"(\w+)"/g)].flatMap(([, ...names]) => names);
  const known = ['site', 'circuit', 'charger', 'source', 'code', 'p', 'e', ...measurements];
  return [...new Set(names)].filter((name) => !known.includes(name));
}

/** Asks for a panel and throws where a query brings nothing, another unit than the panel shows, or what cannot be. */
export async function checkPanel(database: Influx, panel: Panel, shown: Range): Promise<number> {
  const range = rangeOf(panel, shown);
  let rows = 0;
  for (const query of panel.queries) {
    const series = await database.query(filled(query, range));
    const fields = fieldsOf(query);
    if (fields.length === 0) throw new Error(`${panel.title}: asks for no field`);
    if (panel.type === 'table') rows += checkTable(panel, query, series);
    else rows += checkSeries(panel, fields, series, range, query);
  }
  return rows;
}

/** Renames each field that a dashboard asks for, one at a time. Returns how many; throws for one that its panel does not miss. */
export async function checkRenamed(database: Influx, dashboard: Dashboard, range: Range): Promise<number> {
  let renamed = 0;
  for (const panel of dashboard.panels) {
    for (const field of panel.queries.flatMap(fieldsOf)) {
      const queries = panel.queries.map((query) => query.replaceAll(`"${field}"`, `"other_${field}"`));
      await assert.rejects(checkPanel(database, { ...panel, queries }, range), `${panel.title}: ${field}`);
      renamed += 1;
    }
  }
  return renamed;
}

/** Variables and annotations. @throws for one that finds nothing. */
export async function checkOthers(database: Influx, dashboard: Dashboard, range: Range): Promise<void> {
  for (const query of dashboard.others) {
    const series = await database.query(filled(query, range));
    if (!series.some((s) => s.values.length > 0)) throw new Error(`${dashboard.title}: nothing found: ${query}`);
  }
}

function checkSeries(panel: Panel, fields: string[], series: Series[], { from, to }: Range, query: string): number {
  let rows = 0;
  for (const field of fields) {
    const unit = field.slice(field.lastIndexOf('_') + 1);
    const expected = UNITS[unit]?.grafana ?? 'string';
    if (panel.unit !== expected) throw new Error(`${panel.title}: ${field} is no ${panel.unit}`);
  }
  const columns = Math.max(0, ...series.map((s) => s.columns.length - 1));
  for (let column = 1; column <= columns; column++) {
    const values = series.flatMap((s) => s.values.map((row) => row[column])).filter((value) => value !== null);
    if (values.length === 0) throw new Error(`${panel.title}: a column without a value: ${query}`);
    for (const value of values) plausible(panel.title, value, panel.unit);
    rows += values.length;
  }
  if (rows === 0) throw new Error(`${panel.title}: no rows: ${query}`);
  // The day of a bar begins before the range; a single figure over the whole of it has the time of its beginning.
  const times = series.flatMap((s) => s.values.map(([time]) => Number(time)));
  if (times.some((time) => time !== 0 && (time < from - 86_400_000 || time > to)))
    throw new Error(`${panel.title}: rows outside the range`);
  return rows;
}

function checkTable(panel: Panel, query: string, series: Series[]): number {
  const [table] = series;
  if (!table || table.values.length === 0) throw new Error(`${panel.title}: no rows: ${query}`);
  const aliases = new Map([...query.matchAll(/"(\w+)" AS "(\w+)"/g)].map(([, field, alias]) => [alias, field]));
  for (const [i, column] of table.columns.entries()) {
    const field = aliases.get(column) ?? column;
    const expected = UNITS[field.slice(field.lastIndexOf('_') + 1)]?.grafana;
    if (panel.units[column] !== expected) throw new Error(`${panel.title}: ${column} is no ${panel.units[column]}`);
    const values = table.values.map((row) => row[i]).filter((value) => value !== null);
    // A price is not known everywhere.
    if (values.length === 0 && !['cost', 'currency'].includes(column))
      throw new Error(`${panel.title}: a column without a value: ${column}`);
    for (const value of values) if (expected) plausible(panel.title, value, expected);
  }
  return table.values.length;
}

function plausible(title: string, value: unknown, unit: string | undefined): void {
  const range = Object.values(UNITS).find(({ grafana }) => grafana === unit)?.range;
  const so = range ? typeof value === 'number' && value >= range[0] && value <= range[1] : typeof value === 'string';
  if (!so) throw new Error(`${title}: ${JSON.stringify(value)} is no ${unit}`);
}
