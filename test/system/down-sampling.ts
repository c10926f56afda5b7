/** The statements of docs/history.md, and what its continuous queries make of a range of time. */
import { readFileSync } from 'node:fs';
import type { Influx } from './influxd.ts';

/** In the order of the page. */
export function statementsOfDocs(): string[] {
  const page = readFileSync(new URL('../../docs/history.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, text]) => text);
  return blocks.flatMap((text) => text.split(/;\s*\n/)).filter((statement) => statement.trim());
}

/** Does once for a range what the continuous queries do from now on: as the page says for what is there already. */
export async function downSample(database: Influx, from: number, to: number): Promise<void> {
  const statements = statementsOfDocs();
  for (const policy of statements.filter((s) => s.startsWith('CREATE RETENTION POLICY'))) await database.query(policy);
  for (const statement of statements) {
    const [, select] = /^CREATE CONTINUOUS QUERY .* BEGIN (SELECT .*) END$/.exec(statement) ?? [];
    const during = `WHERE time >= ${from}ms AND time < ${to}ms`;
    if (select) await database.query(select.replace('GROUP BY', `${during} GROUP BY`));
  }
}
