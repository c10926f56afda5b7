/** Messages as time series: what is written, how often, and how it waits for a database that does not listen. */
export * from './history/buffer.ts';
export * from './history/history.ts';
export type { HistoryMessage } from './history/measurements.ts';
export type { FieldValue, Point } from './history/point.ts';
