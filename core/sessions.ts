/** Charging sessions: who charged how much, when, at what price, and why it ended. */
export { dayOf, isoWithOffset, isPeriod, zoneOffset } from './sessions/calendar.ts';
export { hearCharger } from './sessions/hear.ts';
export * from './sessions/model.ts';
export { mergePrices, priced } from './sessions/prices.ts';
