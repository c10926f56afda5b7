/** Sessions as messages: each as `session/<charger>`, and what was asked for as `sessions/answer`. */
import { averagePower, dayOf, type Session, zoneOffset } from '../../core/index.ts';
import { sessionsCsv } from '../../drivers/session-store/csv.ts';
import { MOST_SUMS, type SessionStore, type Sum, type Unit } from '../../drivers/session-store/store.ts';
import type { Language, SessionMessage, SessionsAnswer, SessionsQuery } from '../../messages/index.ts';

const DEFAULT_LIMIT = 50;
const MOST_LINES = 10_000;

export interface AnsweringSite {
  name: string;
  language: Language;
  timeZone: string;
  currency: string;
}

/** `at`: epoch ms, when it is told. */
export function sessionMessage(session: Session, at: number): SessionMessage {
  const { id, charger, user, start, startOffset, end, endOffset, energy, cost, pricedEnergy, currency } = session;
  const priced = pricedEnergy > 0 && currency !== undefined;
  const all = pricedEnergy >= energy - 1;
  return {
    at,
    id,
    charger,
    ...(user ? { user } : {}),
    start,
    startOffset,
    ...(end === undefined ? {} : { end, endOffset }),
    energy: rounded(energy, 1),
    averagePower: Math.round(averagePower(session)),
    peakPower: Math.round(session.peakPower),
    ...(priced ? { cost: rounded(cost, 4), currency } : {}),
    ...(priced && !all ? { pricedEnergy: rounded(pricedEnergy, 1) } : {}),
    ...(session.endedBy ? { endedBy: session.endedBy } : {}),
    active: end === undefined,
  };
}

/** `open`: sessions that go on, as last heard; the disk may know a little less of them. */
export function answerOf(
  query: SessionsQuery,
  store: SessionStore,
  open: readonly Session[],
  site: AnsweringSite,
  at: number,
): SessionsAnswer {
  const today = dayOf(at, zoneOffset(at, site.timeZone));
  const period = periodOf(query.period ?? 'all', today);
  const { request, charger, user, limit = DEFAULT_LIMIT } = query;
  const by = query.by ?? BY_LENGTH[period.length] ?? 'day';
  const filter = { period, ...(charger ? { charger } : {}), ...(user ? { user } : {}) };
  const live = new Map(open.map((s) => [s.id, s]));
  const sums = store.sums(filter, by, site.currency);
  const found = store.list(filter, limit + 1, query.after).map((s) => live.get(s.id) ?? s);
  return {
    at,
    ...(request ? { request } : {}),
    ...filter,
    period: period || 'all',
    by,
    today,
    language: site.language,
    timeZone: site.timeZone,
    currency: site.currency,
    total: sumOf(totalOf(sums) ?? store.total(filter, site.currency)),
    sums: sums.map((s) => ({ period: s.period, ...sumOf(s) })),
    sessions: found.slice(0, limit).map((s) => sessionMessage(s, at)),
    more: found.length > limit,
    chargers: store.names('charger'),
    users: store.names('user'),
    ...(query.csv ? { csv: csvOf(store, filter, site) } : {}),
  };
}

/** By the length of a period: what it is divided into. */
const BY_LENGTH: Readonly<Record<number, Unit>> = { 0: 'year', 4: 'month', 7: 'day' };

function periodOf(asked: string, today: string): string {
  const lengths: Readonly<Record<string, number>> = { all: 0, year: 4, month: 7, today: 10 };
  return Object.hasOwn(lengths, asked) ? today.slice(0, lengths[asked]) : asked;
}

/** Undefined where there may be more than these: to go through all of them again takes its time. */
function totalOf(sums: readonly Sum[]): Omit<Sum, 'period'> | undefined {
  if (sums.length >= MOST_SUMS) return undefined;
  const total = { count: 0, energy: 0, cost: 0, pricedEnergy: 0 };
  for (const sum of sums)
    for (const key of ['count', 'energy', 'cost', 'pricedEnergy'] as const) total[key] += sum[key];
  return total;
}

function sumOf({ count, energy, cost, pricedEnergy }: Omit<Sum, 'period'>) {
  return { count, energy: rounded(energy, 1), cost: rounded(cost, 4), pricedEnergy: rounded(pricedEnergy, 1) };
}

function csvOf(store: SessionStore, filter: Parameters<SessionStore['list']>[0], site: AnsweringSite) {
  const found = store.list(filter, MOST_LINES + 1);
  const name = ['sessions', site.name, filter.period || 'all', filter.charger, filter.user].filter(Boolean).join('-');
  return {
    name: `${name.replace(/[^\p{L}\p{N}_-]+/gu, '-').slice(0, 90)}.csv`,
    text: sessionsCsv(found.slice(0, MOST_LINES), site.language),
    complete: found.length <= MOST_LINES,
  };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
