/** The domain of load management, without Node-RED: allocation, protection, control. */
export * from './allocate.ts';
export type { ChargerInput, ChargerRequest, PhaseCount } from './charger-track.ts';
export * from './circuits.ts';
export * from './commissioning.ts';
export * from './controller.ts';
export * from './decide.ts';
export * from './guard.ts';
export * from './inputs.ts';
export type { MeterInput } from './meter-track.ts';
export type { Reason } from './part.ts';
export * from './policies.ts';
export * from './protection.ts';
export * from './site.ts';
export * from './units.ts';
