/** A meter as somebody has mounted it: which conductor each clamp is on, which way round, and which voltage goes with it. */
import { type PerPhase, PHASES, type Phase, type PhaseIndex, perPhase, phaseIndex } from '../core/units.ts';
import type { GridPort } from './ports.ts';

export interface Clamp {
  /** The conductor that it is around. */
  phase: Phase;
  /** Put on the wrong way round. */
  reversed?: boolean;
  /** The conductor that the voltage of this channel is taken from; default its own. */
  voltage?: Phase;
  /** Part of the current that is shown: 1 with the transformers that the meter expects. */
  ratio?: number;
}

/** cos 120°: active power of a resistive load by the voltage of another phase. */
const OTHER_PHASE = -0.5;

/** What a meter senses through the clamps of its three channels. */
export function clampedGrid(grid: GridPort, clamps: readonly [Clamp, Clamp, Clamp]): GridPort {
  const conductor = (channel: PhaseIndex) => phaseIndex(clamps[channel].phase);
  const amps = (channel: PhaseIndex) => {
    const { reversed, ratio = 1 } = clamps[channel];
    return (reversed ? -ratio : ratio) * grid.current()[conductor(channel)];
  };
  const volts = (channel: PhaseIndex) => grid.voltage()[phaseIndex(clamps[channel].voltage ?? clamps[channel].phase)];
  const factor = (channel: PhaseIndex) =>
    (clamps[channel].voltage ?? clamps[channel].phase) === clamps[channel].phase ? 1 : OTHER_PHASE;
  return {
    current: () => perPhase(amps),
    voltage: () => perPhase(volts),
    power: () => perPhase((channel) => amps(channel) * volts(channel) * factor(channel)),
    energyImport: () => byChannel(grid.energyImport()),
    energyExport: () => byChannel(grid.energyExport()),
  };

  function byChannel(energy: PerPhase): PerPhase {
    return perPhase((channel) => energy[conductor(channel)]);
  }
}

/** Clamps on the conductors named, each with its own voltage. */
export function clampsOn(...phases: [Phase, Phase, Phase]): [Clamp, Clamp, Clamp] {
  return phases.map((phase) => ({ phase })) as [Clamp, Clamp, Clamp];
}

/** Clamps on the conductors named, while the voltages are taken from L1, L2 and L3 in their order. */
export function clampsApart(...phases: [Phase, Phase, Phase]): [Clamp, Clamp, Clamp] {
  return phases.map((phase, channel) => ({ phase, voltage: PHASES[channel] })) as [Clamp, Clamp, Clamp];
}
